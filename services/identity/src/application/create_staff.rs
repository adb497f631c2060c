//! An administrator makes an account for a colleague, with a password that is used once.

use std::collections::BTreeSet;

use kernel::{Email, Timestamp};
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::store::Versioned;

use super::register_customer::registered;
use super::{Error, Identity, asker, held_by};
use crate::domain::{
    Account, AccountId, Kind, Password, PermissionSet, PersonName, Rejection, Role, RoleId,
    one_time_password,
};

pub struct NewStaff {
    pub email: Email,
    pub name: Option<PersonName>,
    pub roles: Vec<RoleId>,
}

impl Identity {
    /// The account and its one-time password, which is not told again.
    pub async fn create_staff(
        &self,
        context: &Context,
        new: NewStaff,
    ) -> Result<(Versioned<Account>, Password), Error> {
        let held = held_by(&context.principal);
        self.check_grant(&new.roles, &held).await?;
        if self.store().by::<Account>("email", new.email.as_str()).await?.is_some() {
            return Err(Rejection::EmailTaken.into());
        }
        let one_time = one_time_password::from_random(self.executor.env().random());
        let hash = self.passwords.hash(&asker(context, None), one_time.clone()).await?;
        let command = CreateStaff { id: self.executor.env().id(), new, hash, held };
        let account = self.executor.execute(context, command).await?;
        Ok((account, one_time))
    }

    /// The same decision as the command's, before the hash is paid for.
    async fn check_grant(&self, roles: &[RoleId], held: &PermissionSet) -> Result<(), Error> {
        for (index, id) in roles.iter().enumerate() {
            let role = self.store().get::<Role>(id.uuid()).await?;
            let role = role.ok_or(Rejection::UnknownRole { index, role: id.to_string() })?;
            held.may_grant(&role.permissions)?;
        }
        Ok(())
    }
}

pub(super) struct CreateStaff {
    pub id: AccountId,
    pub new: NewStaff,
    pub hash: String,
    pub held: PermissionSet,
}

impl Command for CreateStaff {
    type Reply = Versioned<Account>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Account>(self.id.uuid());
        for role in &self.new.roles {
            keys.add::<Role>(role.uuid());
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        let id = self.id.uuid();
        let roles: BTreeSet<RoleId> = self.new.roles.iter().copied().collect();
        for (index, role_id) in self.new.roles.iter().enumerate() {
            let mut role = known_role(states, index, *role_id)?;
            self.held.may_grant(&role.permissions)?;
            role.give_to(self.id)?;
            states.put(role_id.uuid(), role);
        }
        let (email, name) = (self.new.email.clone(), self.new.name.clone());
        let account = Account::staff(email, name, self.hash.clone(), roles, now);
        states.put(id, account.clone());
        states.emit::<Account, _>(id, &registered(self.id, Kind::Staff));
        Ok(Versioned { id, version: states.version::<Account>(id), state: account })
    }
}

/// A role that a request names at `index`.
pub(super) fn known_role(states: &States<'_>, index: usize, id: RoleId) -> Result<Role, Rejection> {
    let role = states.get::<Role>(id.uuid()).cloned();
    role.ok_or_else(|| Rejection::UnknownRole { index, role: id.to_string() })
}
