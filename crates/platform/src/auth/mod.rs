//! Who is asking: access tokens and API keys, verified here and nowhere else.
//!
//! Identity signs tokens and knows keys; every service and the gateway verify them on their own,
//! with public keys and a list of revoked sessions that they fetch through [`AuthSource`].

mod authenticator;
mod cache;
mod source;
mod token;

use std::time::Duration;

pub use authenticator::{AuthError, Authenticator};
pub use source::{ApiKeyGrant, AuthSource, Revocations};
pub use token::{ACCOUNT_PREFIX, AccountKind, Claims, MAX_LIFETIME, SESSION_PREFIX, TOKEN_TYPE};

/// How far apart what two clocks show may be, or one clock before and after it was set: each may be
/// two hours off. Whatever is remembered so that a token is refused is remembered for longer by this.
pub const CLOCKS_APART: Duration = Duration::from_hours(4);
/// What an API key starts with.
pub const API_KEY_PREFIX: &str = "mk_";
