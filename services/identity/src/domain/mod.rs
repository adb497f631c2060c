//! Who people are and what they may do: accounts, passwords, sessions, roles, keys.
//!
//! Pure and synchronous. Time and random bytes come in as arguments; hashing a password, signing a
//! token and storing anything happen elsewhere. Personal data lives in [`account`] and nowhere
//! else, so that erasing a person is erasing one value.

pub mod access;
pub mod account;
#[cfg(test)]
mod account_tests;
pub mod api_key;
pub mod attempts;
pub mod ids;
pub mod one_time_password;
pub mod password;
pub mod permission;
pub mod person_name;
pub mod place;
pub mod refresh_token;
pub mod rejection;
pub mod role;
pub mod session;
#[cfg(test)]
mod session_tests;
pub mod signing_key;

pub use access::AccessClaims;
pub use account::{Account, Credential, Kind, Profile, SavedAddress, SavedAnswer, Standing};
pub use api_key::{ApiKey, PresentedKey};
pub use attempts::{Attempts, Budget};
pub use ids::{AccountId, AddressId, ApiKeyId, RoleId, SessionId, SigningKeyId};
pub use password::Password;
pub use permission::{Permission, PermissionSet};
pub use person_name::PersonName;
pub use place::Place;
pub use refresh_token::{RefreshToken, ServerSecret, TokenHash};
pub use rejection::Rejection;
pub use role::{Role, RoleName};
pub use session::{Lifetimes, Reason, Rotation, Session};
pub use signing_key::SigningKey;
