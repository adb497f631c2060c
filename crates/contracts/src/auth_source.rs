//! What every process's authenticator asks, over identity's contract: the same code whether
//! identity runs here or elsewhere.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::Timestamp;
use platform::auth::{ApiKeyGrant, AuthSource, Revocations};
use platform::rpc::{Channel, uuid_from};
use platform::{Context, Env};

use crate::identity::{IdentityApi, IdentityClient, v1};

/// What the process of `service` asks identity over a channel.
pub fn over(channel: Channel, env: Env, service: &'static str) -> Arc<dyn AuthSource> {
    let api = IdentityClient::new(channel, env.clone());
    Arc::new(ContractAuthSource::new(Arc::new(api), env, service))
}

const TIMEOUT: Duration = Duration::from_secs(2);

/// An [`AuthSource`] over any carrier of [`IdentityApi`].
pub struct ContractAuthSource {
    api: Arc<dyn IdentityApi>,
    env: Env,
    /// Who asks, for the log of the other side.
    service: &'static str,
}

impl ContractAuthSource {
    pub fn new(api: Arc<dyn IdentityApi>, env: Env, service: &'static str) -> Self {
        Self { api, env, service }
    }

    fn context(&self) -> Context {
        Context::background(&self.env, self.service, TIMEOUT)
    }
}

#[async_trait]
impl AuthSource for ContractAuthSource {
    async fn jwks(&self) -> Result<String, String> {
        let reply = self.api.get_jwks(self.context(), v1::GetJwksRequest {}).await;
        reply.map(|reply| reply.jwks_json).map_err(|error| error.to_string())
    }

    async fn api_key(&self, key: &str) -> Result<Option<ApiKeyGrant>, String> {
        let request = v1::VerifyApiKeyRequest { key: key.to_owned() };
        let reply = self.api.verify_api_key(self.context(), request).await;
        let reply = reply.map_err(|error| error.to_string())?;
        if !reply.found {
            return Ok(None);
        }
        let key = uuid_from(&reply.key_id, "key_id").map_err(|error| error.to_string())?;
        Ok(Some(ApiKeyGrant { key, permissions: reply.permissions }))
    }

    async fn revoked_since(&self, since: Timestamp) -> Result<Revocations, String> {
        let request = v1::ListRevocationsRequest { since_us: since.as_micros() };
        let reply = self.api.list_revocations(self.context(), request).await;
        let reply = reply.map_err(|error| error.to_string())?;
        let sessions: Result<Vec<_>, _> =
            reply.session_ids.iter().map(|id| uuid_from(id, "session_ids")).collect();
        Ok(Revocations {
            sessions: sessions.map_err(|error| error.to_string())?,
            as_of: Timestamp::from_micros(reply.as_of_us),
        })
    }
}
