//! The caller's own account: read, and change of name and language.

use kernel::{Locale, Timestamp};
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::{IdempotencyKey, Idempotent};
use platform::store::Versioned;

use super::{Error, Identity, answers, signed_in};
use crate::domain::{Account, AccountId, PersonName, Rejection};

/// What becomes of something that may be absent.
#[derive(Clone, Default)]
pub enum Change<T> {
    #[default]
    Keep,
    Remove,
    Set(T),
}

impl<T: Clone> Change<T> {
    fn apply(&self, place: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Remove => *place = None,
            Self::Set(value) => *place = Some(value.clone()),
        }
    }
}

#[derive(Clone, Default)]
pub struct Changes {
    pub name: Change<PersonName>,
    pub locale: Change<Locale>,
}

impl Identity {
    pub async fn get_me(&self, context: &Context) -> Result<Versioned<Account>, Error> {
        self.own_account(context).await
    }

    pub async fn update_me(
        &self,
        context: &Context,
        once: Option<Idempotent<Versioned<Account>>>,
        changes: Changes,
        expected: Option<u64>,
    ) -> Result<Versioned<Account>, Error> {
        let answer = answers::key_of(once.as_ref());
        let command = UpdateMe { account: signed_in(context)?, changes, expected, answer };
        self.executor.execute_once(context, once, command).await
    }
}

struct UpdateMe {
    account: AccountId,
    changes: Changes,
    expected: Option<u64>,
    answer: Option<IdempotencyKey>,
}

impl Command for UpdateMe {
    type Reply = Versioned<Account>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Account>(self.account.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        let id = self.account.uuid();
        let current = states.version::<Account>(id);
        let mut account = states.get::<Account>(id).cloned().ok_or(Rejection::NotSignedIn)?;
        let profile = account.active_mut()?;
        if self.expected.is_some_and(|expected| expected != current) {
            return Err(Rejection::StaleAccount { current }.into());
        }
        self.changes.name.apply(&mut profile.name);
        self.changes.locale.apply(&mut profile.locale);
        answers::note(states, &mut account, self.answer.as_ref(), now);
        states.put(id, account.clone());
        Ok(Versioned { id, version: states.version::<Account>(id), state: account })
    }
}
