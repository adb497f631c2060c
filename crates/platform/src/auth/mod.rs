//! Who is asking: access tokens and API keys, verified here and nowhere else.
//!
//! Identity signs tokens and knows keys; every service and the gateway verify them on their own,
//! with public keys and a list of revoked sessions that they fetch through [`AuthSource`].

mod authenticator;
mod cache;
mod source;
mod token;

pub use authenticator::{AuthError, Authenticator};
pub use source::{ApiKeyGrant, AuthSource, Revocations};
pub use token::{ACCOUNT_PREFIX, AccountKind, Claims, MAX_LIFETIME, SESSION_PREFIX, TOKEN_TYPE};

/// What an API key starts with.
pub const API_KEY_PREFIX: &str = "mk_";
