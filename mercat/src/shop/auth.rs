//! The authenticator's source of keys, grants and revocations, over identity's contract.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contracts::identity::{IdentityApi, v1};
use kernel::Timestamp;
use kernel::id::Uuid;
use platform::auth::{ApiKeyGrant, AuthSource, Revocations};
use platform::rpc::uuid_from;
use platform::{Context, Env};

pub struct Source {
    env: Env,
    identity: Arc<dyn IdentityApi>,
}

const TIMEOUT: Duration = Duration::from_secs(2);

impl Source {
    pub fn new(env: Env, identity: Arc<dyn IdentityApi>) -> Self {
        Self { env, identity }
    }

    fn context(&self) -> Context {
        Context::background(&self.env, "gateway", TIMEOUT)
    }
}

#[async_trait]
impl AuthSource for Source {
    async fn jwks(&self) -> Result<String, String> {
        let reply = self.identity.get_jwks(self.context(), v1::GetJwksRequest {}).await;
        Ok(reply.map_err(|error| error.to_string())?.jwks_json)
    }

    async fn api_key(&self, key: &str) -> Result<Option<ApiKeyGrant>, String> {
        let request = v1::VerifyApiKeyRequest { key: key.to_owned() };
        let reply = self.identity.verify_api_key(self.context(), request).await;
        let reply = reply.map_err(|error| error.to_string())?;
        if !reply.found {
            return Ok(None);
        }
        let key = uuid_from(&reply.key_id, "key_id").map_err(|error| error.to_string())?;
        Ok(Some(ApiKeyGrant { key, permissions: reply.permissions }))
    }

    async fn revoked_since(&self, since: Timestamp) -> Result<Revocations, String> {
        let request = v1::ListRevocationsRequest { since_us: since.as_micros() };
        let reply = self.identity.list_revocations(self.context(), request).await;
        let reply = reply.map_err(|error| error.to_string())?;
        let sessions: Result<Vec<Uuid>, _> =
            reply.session_ids.iter().map(|id| uuid_from(id, "session_ids")).collect();
        Ok(Revocations {
            sessions: sessions.map_err(|error| error.to_string())?,
            as_of: Timestamp::from_micros(reply.as_of_us),
        })
    }
}
