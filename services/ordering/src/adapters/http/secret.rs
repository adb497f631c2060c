//! The secret of a cart: shown once, then only its hash is known.

use ::http::request::Parts;
use axum::extract::FromRequestParts;
use platform::Env;
use platform::http::Problem;
use sha2::{Digest, Sha256};

use crate::domain::SecretHash;

const HEADER: &str = "cart-secret";
const MAX_CHARS: usize = 128;

/// The hash of the `Cart-Secret` header, when one was sent.
pub(super) struct CartSecret(pub Option<SecretHash>);

impl<S: Sync> FromRequestParts<S> for CartSecret {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        if values.next().is_some() {
            return Err(Problem::invalid_field(HEADER, "is given twice"));
        }
        match value.to_str() {
            Ok(text) if (1..=MAX_CHARS).contains(&text.len()) => Ok(Self(Some(hash(text)))),
            _ => Err(Problem::invalid_field(HEADER, "has 1 to 128 visible ASCII characters")),
        }
    }
}

/// 256 bits that nobody can guess, and their hash.
pub(super) fn fresh(env: &Env) -> (String, SecretHash) {
    use std::fmt::Write as _;
    let mut secret = String::with_capacity(64);
    for byte in env.random::<32>() {
        let _ = write!(secret, "{byte:02x}");
    }
    let hash = hash(&secret);
    (secret, hash)
}

fn hash(secret: &str) -> SecretHash {
    SecretHash::new(Sha256::digest(secret.as_bytes()).into())
}
