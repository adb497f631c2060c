//! What an access token says (RFC 9068).

use kernel::Timestamp;
use kernel::id::Uuid;

use super::account::Kind;
use super::ids::{AccountId, SessionId};
use super::permission::PermissionSet;

/// The facts of one access token. Issuer, audience and lifetime are added where it is signed.
#[derive(Clone, Debug)]
pub struct AccessClaims {
    pub account: AccountId,
    pub session: SessionId,
    pub kind: Kind,
    /// Empty for customers, and with a one-time password.
    pub permissions: PermissionSet,
    /// The password has to be replaced first: the token is good for that alone.
    pub one_time: bool,
    pub issued_at: Timestamp,
    /// The token's own id.
    pub token_id: Uuid,
}
