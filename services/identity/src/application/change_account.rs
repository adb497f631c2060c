//! An administrator gives and takes roles, and disables and enables accounts.
//!
//! Nobody grants what they do not hold, and nobody changes an account that holds more than they do.
//! A role given or taken shows in the access tokens from the next refresh on; disabling ends every
//! session at once.

use std::collections::BTreeSet;

use kernel::Timestamp;
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::{IdempotencyKey, Idempotent};
use platform::store::Versioned;

use super::create_staff::known_role;
use super::{Error, Identity, Settings, TRIES, answers, held_by, sessions};
use crate::domain::{
    Account, AccountId, Kind, PermissionSet, Reason, Rejection, Role, RoleId, Session, SessionId,
};

/// What changes; `None` stays as it is.
#[derive(Clone, Default)]
pub struct AccountChanges {
    pub roles: Option<Vec<RoleId>>,
    pub disabled: Option<bool>,
}

impl Identity {
    pub async fn change_account(
        &self,
        context: &Context,
        once: Option<Idempotent<Versioned<Account>>>,
        id: AccountId,
        changes: AccountChanges,
        expected: Option<u64>,
    ) -> Result<Versioned<Account>, Error> {
        for _ in 0..TRIES {
            let account = self.get_account(id).await?;
            let profile = account.profile().ok_or(Rejection::AccountNotFound)?;
            let mut roles = profile.roles.clone();
            roles.extend(changes.roles.iter().flatten());
            let command = ChangeAccount {
                id,
                changes: changes.clone(),
                expected,
                held: held_by(&context.principal),
                roles,
                answer: answers::key_of(once.as_ref()),
                sessions: account.sessions.clone(),
                settings: self.settings,
            };
            match self.executor.execute_once(context, once.clone(), command).await {
                Err(Error::Rejected(Rejection::Raced)) => {}
                settled => return settled,
            }
        }
        Err(Rejection::Raced.into())
    }
}

struct ChangeAccount {
    id: AccountId,
    changes: AccountChanges,
    expected: Option<u64>,
    held: PermissionSet,
    /// Every role that the account has or shall have.
    roles: BTreeSet<RoleId>,
    answer: Option<IdempotencyKey>,
    sessions: Vec<SessionId>,
    settings: Settings,
}

impl ChangeAccount {
    /// The caller holds all that the account holds and all that it shall hold.
    fn authorize(&self, states: &States<'_>, account: &Account) -> Result<(), Rejection> {
        let profile = account.profile().ok_or(Rejection::AccountNotFound)?;
        if !profile.roles.is_subset(&self.roles) {
            return Err(Rejection::Raced);
        }
        for id in &profile.roles {
            if let Some(role) = states.get::<Role>(id.uuid()) {
                self.held.may_grant(&role.permissions)?;
            }
        }
        for (index, id) in self.changes.roles.iter().flatten().enumerate() {
            if account.kind != Kind::Staff {
                return Err(Rejection::RolesNeedStaff);
            }
            self.held.may_grant(&known_role(states, index, *id)?.permissions)?;
        }
        Ok(())
    }

    fn apply(
        &self,
        states: &States<'_>,
        account: &mut Account,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        // A role that was removed while the account was disabled is not taken up again.
        let wanted = match &self.changes.roles {
            Some(roles) => roles.iter().copied().collect(),
            None => account.profile().map(|p| p.roles.clone()).unwrap_or_default(),
        };
        let known = |id: &RoleId| states.get::<Role>(id.uuid()).is_some();
        account.assign_roles(wanted.into_iter().filter(known).collect())?;
        match self.changes.disabled {
            Some(true) => account.disable(now),
            Some(false) => account.enable(),
            None => Ok(()),
        }
    }
}

impl Command for ChangeAccount {
    type Reply = Versioned<Account>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Account>(self.id.uuid());
        for role in &self.roles {
            keys.add::<Role>(role.uuid());
        }
        for session in &self.sessions {
            keys.add::<Session>(session.uuid());
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        let id = self.id.uuid();
        let current = states.version::<Account>(id);
        let mut account = states.get::<Account>(id).cloned().ok_or(Rejection::AccountNotFound)?;
        if self.expected.is_some_and(|expected| expected != current) {
            return Err(Rejection::StaleAccount { current }.into());
        }
        self.authorize(states, &account)?;
        let before = account.effective_roles();
        self.apply(states, &mut account, now)?;
        let after = account.effective_roles();
        for (role_id, gained) in after
            .difference(&before)
            .map(|role| (role, true))
            .chain(before.difference(&after).map(|role| (role, false)))
        {
            let Some(mut role) = states.get::<Role>(role_id.uuid()).cloned() else {
                continue;
            };
            if gained {
                role.give_to(self.id)?;
            } else {
                role.take_from(self.id)?;
            }
            states.put(role_id.uuid(), role);
        }
        if account.active().is_err() {
            let (settings, declared) = (&self.settings, &self.sessions);
            let reason = Reason::Disabled;
            sessions::revoke_all(states, settings, &mut account, declared, None, reason, now)?;
        }
        answers::note(states, &mut account, self.answer.as_ref(), now);
        states.put(id, account.clone());
        Ok(Versioned { id, version: states.version::<Account>(id), state: account })
    }
}
