//! The first start: keys, the role `owner`, and somebody who holds it.

use kernel::{Email, Timestamp};
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::store::Query;

use super::create_staff::{CreateStaff, NewStaff};
use super::{Error, Identity, asker};
use crate::domain::{
    Account, Kind, Password, PermissionSet, Rejection, Role, RoleId, one_time_password, role,
};

/// A password that was made for a member of staff, to be told to whoever runs the shop, once.
#[derive(Debug)]
pub struct OneTimePassword {
    pub email: Email,
    /// Good for being replaced, and for nothing else.
    pub password: Password,
    pub valid_days: u64,
}

impl Identity {
    /// Makes what is missing. Idempotent; `Some` only when there was no member of staff.
    pub async fn bootstrap(
        &self,
        context: &Context,
        email: Email,
    ) -> Result<Option<OneTimePassword>, Error> {
        self.ring(context).await?;
        let owner = self.owner_role(context).await?;
        if self.has_staff().await? {
            return Ok(None);
        }
        let password = one_time_password::from_random(self.executor.env().random());
        let hash = self.passwords.hash(&asker(context, None), password.clone()).await?;
        let new = NewStaff { email: email.clone(), name: None, roles: vec![owner] };
        let held = PermissionSet::of_caller(["*"]);
        let command = CreateStaff { id: self.executor.env().id(), new, hash, held };
        match self.executor.execute(context, command).await {
            Ok(_) => Ok(Some(self.one_time(email, password))),
            // Another process was faster, unless the address is a customer's.
            Err(Error::Rejected(Rejection::EmailTaken)) if self.has_staff().await? => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A new password for the member of staff with this address.
    pub async fn renew_staff(
        &self,
        context: &Context,
        email: Email,
    ) -> Result<OneTimePassword, Error> {
        let password = self.reset_password_of(context, &email).await?;
        Ok(self.one_time(email, password))
    }

    fn one_time(&self, email: Email, password: Password) -> OneTimePassword {
        let valid_days = self.settings.one_time_password_life.as_secs() / 86_400;
        OneTimePassword { email, password, valid_days }
    }

    async fn has_staff(&self) -> Result<bool, Error> {
        let staff = Query::new(1).eq("kind", Kind::Staff.as_str());
        Ok(!self.store().list::<Account>(staff).await?.is_empty())
    }

    async fn owner_role(&self, context: &Context) -> Result<RoleId, Error> {
        let found = self.store().by::<Role>("name", role::OWNER).await?;
        if let Some(found) = found {
            return Ok(RoleId::from_uuid(found.id));
        }
        let id: RoleId = self.executor.env().id();
        match self.executor.execute(context, MakeOwnerRole { id }).await {
            Ok(()) => Ok(id),
            Err(Error::Rejected(Rejection::RoleNameTaken)) => {
                let found = self.store().by::<Role>("name", role::OWNER).await?;
                let found = found.ok_or(Rejection::RoleNotFound)?;
                Ok(RoleId::from_uuid(found.id))
            }
            Err(error) => Err(error),
        }
    }
}

struct MakeOwnerRole {
    id: RoleId,
}

impl Command for MakeOwnerRole {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Role>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        states.put(self.id.uuid(), Role::owner(now));
        Ok(())
    }
}
