//! What identity needs of the world, in its own words.

use async_trait::async_trait;

use platform::context::Deadline;

use crate::domain::{AccessClaims, Password, Place, SigningKey, SigningKeyId};

/// Whose password it is, as far as the work matters.
#[derive(Clone, Debug)]
pub struct Asker {
    /// `None` when nobody told, as inside of a process.
    pub place: Option<Place>,
    /// After it nobody waits for the outcome, and the work is not begun.
    pub deadline: Deadline,
}

/// Turns passwords into hashes and compares them. Slow on purpose, and bounded: when too many wait,
/// or too many of one place, or the deadline passes first, the answer is [`PasswordError::Busy`]
/// and nothing was done, so that a flood of sign-ins starves nobody else.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// A salted hash as a PHC string, never the same twice.
    async fn hash(&self, asker: &Asker, password: Password) -> Result<String, PasswordError>;

    /// Compares with a stored hash. Without one it takes just as long and says
    /// [`Verdict::Wrong`], so that time does not tell which accounts exist.
    async fn verify(
        &self,
        asker: &Asker,
        password: Password,
        hash: Option<String>,
    ) -> Result<Verdict, PasswordError>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    /// `outdated`: the hash was made with other parameters than today's and is to be renewed.
    Right {
        outdated: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("too many passwords wait to be checked")]
    Busy,
    #[error("a password could not be hashed: {0}")]
    Failed(String),
}

/// Makes key pairs and signs access tokens (RFC 9068) with them.
pub trait AccessTokens: Send + Sync {
    /// The Ed25519 key pair of a seed.
    fn key_pair(&self, seed: [u8; 32]) -> Result<KeyPair, SigningError>;

    /// A signed token that says `claims` and names `id` as its key.
    fn sign(
        &self,
        id: SigningKeyId,
        key: &SigningKey,
        claims: &AccessClaims,
    ) -> Result<String, SigningError>;

    /// The public halves as a JSON Web Key Set (RFC 7517), in the order given.
    fn key_set(&self, keys: &[(SigningKeyId, SigningKey)]) -> String;
}

/// An Ed25519 key pair as texts.
pub struct KeyPair {
    /// PKCS#8 DER, base 64.
    pub pkcs8: String,
    /// 32 bytes, base 64 for URLs without padding.
    pub public: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing key cannot be used: {0}")]
pub struct SigningError(pub String);
