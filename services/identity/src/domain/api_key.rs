//! API keys: what a program of the shop presents instead of signing in. Written
//! `mk_<id>_<secret>`; only the SHA-256 of the secret is stored, which is enough for 256 random
//! bits.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::ids::{AccountId, ApiKeyId};
use super::permission::PermissionSet;
use super::refresh_token::hex;
use super::rejection::Rejection;

/// `mk_`, 26 characters of the id, `_`, 43 of the secret.
pub const CHARS: usize = 3 + 26 + 1 + 43;
const LONGEST_LIFE: Duration = Duration::from_hours(24 * 366 * 10);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    pub name: String,
    /// The account that made it; `None` when another API key did.
    pub created_by: Option<AccountId>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub permissions: PermissionSet,
    secret_sha256: String,
}

impl ApiKey {
    /// A key with `permissions`, all of which its maker holds.
    pub fn create(
        name: String,
        created_by: Option<AccountId>,
        permissions: PermissionSet,
        expires_at: Option<Timestamp>,
        secret_sha256: String,
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        if expires_at.is_some_and(|end| end <= now || end > now.plus(LONGEST_LIFE)) {
            return Err(Rejection::BadExpiry);
        }
        Ok(Self {
            name,
            created_by,
            created_at: now,
            expires_at,
            revoked_at: None,
            permissions,
            secret_sha256,
        })
    }

    /// Ends the key. Doing it again keeps the first time.
    pub fn revoke(&mut self, now: Timestamp) {
        self.revoked_at.get_or_insert(now);
    }

    /// Whether `presented` is this key and still good. Takes the same time wherever they differ.
    pub fn admits(&self, presented: &PresentedKey, now: Timestamp) -> bool {
        let same: bool = self.secret_sha256.as_bytes().ct_eq(presented.sha256().as_bytes()).into();
        same && self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A key as a caller shows it. Never printed, never stored.
pub struct PresentedKey {
    pub id: ApiKeyId,
    secret: Zeroizing<[u8; 32]>,
}

impl PresentedKey {
    pub fn new(id: ApiKeyId, secret: [u8; 32]) -> Self {
        Self { id, secret: Zeroizing::new(secret) }
    }

    /// Reads a key; `None` when it does not have the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != CHARS || !text.is_char_boundary(29) {
            return None;
        }
        let (id, rest) = text.split_at(29);
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.decode(rest.strip_prefix('_')?).ok()?);
        let secret: [u8; 32] = secret.as_slice().try_into().ok()?;
        Some(Self::new(id.parse().ok()?, secret))
    }

    /// The key as handed to its owner, once.
    pub fn expose(&self) -> String {
        format!("{}_{}", self.id, URL_SAFE_NO_PAD.encode(self.secret.as_slice()))
    }

    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(self.secret.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use kernel::id::Uuid;
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn key(expires_at: Option<Timestamp>) -> Result<(ApiKey, PresentedKey), Rejection> {
        let presented = PresentedKey::new(Uuid::from_u128(1).into(), [3; 32]);
        let permissions = PermissionSet::default();
        let sha = presented.sha256();
        let key = ApiKey::create("erp".into(), None, permissions, expires_at, sha, at(10))?;
        Ok((key, presented))
    }

    #[test]
    fn a_key_works_until_it_expires_or_is_revoked() {
        let (mut key, presented) = key(Some(at(20))).unwrap();
        assert!(key.admits(&presented, at(19)));
        assert!(!key.admits(&presented, at(20)));
        let wrong = PresentedKey::new(presented.id, [4; 32]);
        assert!(!key.admits(&wrong, at(11)));
        key.revoke(at(12));
        key.revoke(at(13));
        assert_eq!(key.revoked_at, Some(at(12)));
        assert!(!key.admits(&presented, at(13)));
    }

    #[test]
    fn an_expiry_lies_ahead() {
        assert_eq!(key(Some(at(10))).err(), Some(Rejection::BadExpiry));
        assert_eq!(key(Some(at(400_000_000))).err(), Some(Rejection::BadExpiry));
        assert!(key(None).is_ok());
    }

    proptest! {
        #[test]
        fn a_key_is_read_back(id: u128, secret: [u8; 32]) {
            let text = PresentedKey::new(Uuid::from_u128(id).into(), secret).expose();
            prop_assert_eq!(text.len(), CHARS);
            let read = PresentedKey::parse(&text).unwrap();
            prop_assert_eq!(read.expose(), text);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,80}") {
            prop_assert!(PresentedKey::parse(&text).is_none());
        }
    }
}
