//! Where public keys, API keys and revocations come from: identity, here or elsewhere.

use async_trait::async_trait;
use kernel::Timestamp;
use kernel::id::Uuid;

/// The port to identity. Errors are texts for our log: the caller of a route is told 503.
#[async_trait]
pub trait AuthSource: Send + Sync + 'static {
    /// The public keys as a JWK set (RFC 7517, RFC 8037), in JSON.
    async fn jwks(&self) -> Result<String, String>;
    /// What the holder of an API key may do; `None` when there is no such key, or no longer.
    async fn api_key(&self, key: &str) -> Result<Option<ApiKeyGrant>, String>;
    /// Sessions that ended at or after `since`, and the time of this answer on the source's clock.
    async fn revoked_since(&self, since: Timestamp) -> Result<Revocations, String>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyGrant {
    /// The id of the key, not its secret.
    pub key: Uuid,
    pub permissions: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocations {
    pub sessions: Vec<Uuid>,
    /// Ask from here next time.
    pub as_of: Timestamp,
}
