//! The first start: keys, the role `owner`, and somebody who holds it.

use kernel::{Email, Timestamp};
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::store::Query;

use super::create_staff::{CreateStaff, NewStaff};
use super::{Error, Identity};
use crate::domain::{
    Account, Kind, Password, PermissionSet, Rejection, Role, RoleId, one_time_password, role,
};

/// The first member of staff, to be told to whoever started the shop, once.
#[derive(Debug)]
pub struct FirstStaff {
    pub email: Email,
    /// To be replaced after the first sign-in.
    pub password: Password,
}

impl Identity {
    /// Makes what is missing. Idempotent; `Some` only when there was no member of staff.
    pub async fn bootstrap(
        &self,
        context: &Context,
        email: Email,
    ) -> Result<Option<FirstStaff>, Error> {
        self.ring(context).await?;
        let owner = self.owner_role(context).await?;
        if self.has_staff().await? {
            return Ok(None);
        }
        let password = one_time_password::from_random(self.executor.env().random());
        let hash = self.passwords.hash(password.clone()).await?;
        let new = NewStaff { email: email.clone(), name: None, roles: vec![owner] };
        let held = PermissionSet::of_caller(["*"]);
        let command = CreateStaff { id: self.executor.env().id(), new, hash, held };
        match self.executor.execute(context, command).await {
            Ok(_) => Ok(Some(FirstStaff { email, password })),
            // Another process was faster, unless the address is a customer's.
            Err(Error::Rejected(Rejection::EmailTaken)) if self.has_staff().await? => Ok(None),
            Err(error) => Err(error),
        }
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
