//! The contract `mercat.identity.v1`: what other services need in order to trust a caller.

use contracts::identity::{IdentityApi, v1};
use kernel::Timestamp;
use platform::Context;
use platform::rpc::CallError;

use crate::application::{Error, Identity};

pub struct IdentityGrpc {
    identity: Identity,
}

impl IdentityGrpc {
    pub fn new(identity: Identity) -> Self {
        Self { identity }
    }
}

#[async_trait::async_trait]
impl IdentityApi for IdentityGrpc {
    async fn get_jwks(
        &self,
        context: Context,
        _request: v1::GetJwksRequest,
    ) -> Result<v1::GetJwksReply, CallError> {
        let jwks_json = self.identity.key_set(&context).await.map_err(failure)?;
        Ok(v1::GetJwksReply { jwks_json })
    }

    async fn verify_api_key(
        &self,
        _context: Context,
        request: v1::VerifyApiKeyRequest,
    ) -> Result<v1::VerifyApiKeyReply, CallError> {
        let key = zeroize::Zeroizing::new(request.key);
        let found = self.identity.verify_api_key(&key).await.map_err(failure)?;
        Ok(found.map_or_else(v1::VerifyApiKeyReply::default, |(id, permissions)| {
            v1::VerifyApiKeyReply {
                found: true,
                key_id: id.uuid().as_bytes().to_vec(),
                permissions: permissions.names(),
            }
        }))
    }

    async fn list_revocations(
        &self,
        _context: Context,
        request: v1::ListRevocationsRequest,
    ) -> Result<v1::ListRevocationsReply, CallError> {
        let since = Timestamp::from_micros(request.since_us);
        let found = self.identity.list_revocations(since).await.map_err(failure)?;
        Ok(v1::ListRevocationsReply {
            session_ids: found.sessions.iter().map(|id| id.uuid().as_bytes().to_vec()).collect(),
            as_of_us: found.as_of.as_micros(),
        })
    }
}

fn failure(error: Error) -> CallError {
    CallError::from_business(&error)
}
