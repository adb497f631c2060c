//! The use cases of identity, one a file. Each reads what it needs, does its slow work (hashing),
//! and hands one command to the executor; the command decides with `domain` alone. No transport,
//! no SQL, no clock.

mod answers;
mod error;
mod keyring;
mod sessions;
mod throttle;

pub mod bootstrap;
pub mod change_account;
pub mod change_password;
pub mod create_staff;
pub mod erase_me;
pub mod forget_sessions;
pub mod get_account;
pub mod list_revocations;
pub mod list_sessions;
pub mod manage_addresses;
pub mod manage_api_keys;
pub mod manage_roles;
pub mod refresh_session;
pub mod register_customer;
pub mod reset_password;
pub mod rotate_keys;
pub mod sign_in;
pub mod sign_out;
pub mod update_me;
pub mod verify_api_key;

use std::sync::Arc;
use std::time::Duration;

use kernel::Timestamp;
use platform::context::{Context, Principal};
use platform::executor::Executor;
use platform::store::{Position, Store, Versioned};

pub use error::Error;
pub use keyring::FirstSecret;
pub use sessions::SignedIn;

use crate::domain::signing_key::Schedule;
use crate::domain::{
    Account, AccountId, Kind, Lifetimes, PermissionSet, Place, Rejection, SessionId,
};
use crate::ports::{AccessTokens, Asker, Passwords};

/// How often a use case reads again when another command came between.
const TRIES: usize = 4;

/// What the operator may choose.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub customer_sessions: Lifetimes,
    pub staff_sessions: Lifetimes,
    pub keys: Schedule,
    /// How long the keys may be remembered before they are read again.
    pub keys_ttl: Duration,
    /// How many pairs of e-mail address and place are remembered.
    pub attempts_tracked: usize,
    /// How long a password that was made for somebody is good.
    pub one_time_password_life: Duration,
}

impl Settings {
    fn lifetimes(&self, kind: Kind) -> Lifetimes {
        match kind {
            Kind::Customer => self.customer_sessions,
            Kind::Staff => self.staff_sessions,
        }
    }
}

/// What every use case stands on. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    executor: Executor,
    passwords: Arc<dyn Passwords>,
    tokens: Arc<dyn AccessTokens>,
    keyring: Arc<keyring::Keyring>,
    throttle: Arc<throttle::Throttle>,
    settings: Settings,
}

impl Identity {
    pub fn new(
        executor: Executor,
        passwords: Arc<dyn Passwords>,
        tokens: Arc<dyn AccessTokens>,
        settings: Settings,
    ) -> Self {
        Self {
            executor,
            passwords,
            tokens,
            keyring: Arc::default(),
            throttle: Arc::new(throttle::Throttle::new(settings.attempts_tracked)),
            settings,
        }
    }

    fn store(&self) -> &Store {
        self.executor.store()
    }

    fn now(&self) -> Timestamp {
        self.executor.env().now()
    }

    /// The account of whoever asks, which must be able to act.
    async fn own_account(&self, context: &Context) -> Result<Versioned<Account>, Error> {
        let id = signed_in(context)?;
        let account = self.store().get::<Account>(id.uuid()).await?;
        let account = account.ok_or(Rejection::NotSignedIn)?;
        account.active()?;
        Ok(account)
    }
}

/// Who asks, when it is a person.
fn signed_in(context: &Context) -> Result<AccountId, Rejection> {
    context.principal.account().map(AccountId::from_uuid).ok_or(Rejection::NotSignedIn)
}

/// Whose password is hashed, and how long that is of use.
fn asker(context: &Context, place: Option<&Place>) -> Asker {
    Asker { place: place.cloned(), deadline: context.deadline }
}

/// The session that the caller's access token belongs to.
fn own_session(context: &Context) -> Option<SessionId> {
    match &context.principal {
        Principal::Customer { session, .. }
        | Principal::Staff { session, .. }
        | Principal::OneTime { session, .. } => Some(SessionId::from_uuid(*session)),
        _ => None,
    }
}

/// What the caller holds and so may grant.
fn held_by(principal: &Principal) -> PermissionSet {
    match principal {
        Principal::Staff { permissions, .. } | Principal::ApiKey { permissions, .. } => {
            PermissionSet::of_caller(permissions.iter().map(String::as_str))
        }
        Principal::Service { .. } => PermissionSet::of_caller(["*"]),
        Principal::Anonymous | Principal::Customer { .. } | Principal::OneTime { .. } => {
            PermissionSet::default()
        }
    }
}

/// One page of a list, before it is shown.
pub struct Found<A> {
    pub items: Vec<Versioned<A>>,
    pub next_cursor: Option<String>,
}

impl<A> Found<A> {
    /// `items`, in the order of their ids, hold one more than `limit` when there is another page.
    fn page(mut items: Vec<Versioned<A>>, limit: u32) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next_cursor =
            last.map(|item| Position { value: platform::store::Value::Null, id: item.id }.encode());
        Self { items, next_cursor }
    }
}
