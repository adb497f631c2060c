//! Who an API key stands for.

use super::{Error, Identity};
use crate::domain::{ApiKey, ApiKeyId, PermissionSet, PresentedKey};

impl Identity {
    /// `None` for a key that is malformed, unknown, expired or revoked: which of these is not told.
    pub async fn verify_api_key(
        &self,
        presented: &str,
    ) -> Result<Option<(ApiKeyId, PermissionSet)>, Error> {
        let Some(presented) = PresentedKey::parse(presented) else {
            return Ok(None);
        };
        let Some(key) = self.store().get::<ApiKey>(presented.id.uuid()).await? else {
            return Ok(None);
        };
        let good = key.admits(&presented, self.now());
        Ok(good.then(|| (presented.id, key.permissions.clone())))
    }
}
