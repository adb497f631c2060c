//! Roles: list, create, change, remove. Nobody makes or changes a role that allows more than they
//! may themselves.

use kernel::Timestamp;
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;
use platform::store::{Position, Query, Versioned};

use super::{Error, Found, Identity, held_by};
use crate::domain::{PermissionSet, Rejection, Role, RoleId, RoleName};

pub struct NewRole {
    pub name: RoleName,
    pub description: String,
    pub permissions: PermissionSet,
}

/// What changes; `None` stays as it is.
pub struct RoleChanges {
    pub name: Option<RoleName>,
    pub description: Option<String>,
    pub permissions: Option<PermissionSet>,
}

impl Identity {
    pub async fn get_role(&self, id: RoleId) -> Result<Versioned<Role>, Error> {
        let role = self.store().get::<Role>(id.uuid()).await?;
        role.ok_or(Rejection::RoleNotFound.into())
    }

    /// In the order they were made.
    pub async fn list_roles(&self, limit: u32, cursor: Option<&str>) -> Result<Found<Role>, Error> {
        let mut query = Query::new(limit + 1);
        if let Some(cursor) = cursor {
            query = query.after(Position::decode(cursor).ok_or(Error::BadCursor)?);
        }
        Ok(Found::page(self.store().list(query).await?, limit))
    }

    pub async fn create_role(
        &self,
        context: &Context,
        once: Option<Idempotent<Versioned<Role>>>,
        new: NewRole,
    ) -> Result<Versioned<Role>, Error> {
        held_by(&context.principal).may_grant(&new.permissions)?;
        let command = CreateRole { id: self.executor.env().id(), new };
        self.executor.execute_once(context, once, command).await
    }

    pub async fn change_role(
        &self,
        context: &Context,
        once: Option<Idempotent<Versioned<Role>>>,
        id: RoleId,
        changes: RoleChanges,
        expected: Option<u64>,
    ) -> Result<Versioned<Role>, Error> {
        let held = held_by(&context.principal);
        let command = ChangeRole { id, changes, expected, held };
        self.executor.execute_once(context, once, command).await
    }

    pub async fn remove_role(
        &self,
        context: &Context,
        once: Option<Idempotent<()>>,
        id: RoleId,
        expected: Option<u64>,
    ) -> Result<(), Error> {
        let command = RemoveRole { id, expected, held: held_by(&context.principal) };
        self.executor.execute_once(context, once, command).await
    }
}

struct CreateRole {
    id: RoleId,
    new: NewRole,
}

impl Command for CreateRole {
    type Reply = Versioned<Role>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Role>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        let NewRole { name, description, permissions } = &self.new;
        let role = Role::new(name.clone(), description.clone(), permissions.clone(), now);
        let id = self.id.uuid();
        states.put(id, role.clone());
        Ok(Versioned { id, version: states.version::<Role>(id), state: role })
    }
}

struct ChangeRole {
    id: RoleId,
    changes: RoleChanges,
    expected: Option<u64>,
    held: PermissionSet,
}

impl Command for ChangeRole {
    type Reply = Versioned<Role>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Role>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<Self::Reply, Error> {
        let id = self.id.uuid();
        let current = states.version::<Role>(id);
        let mut role = states.get::<Role>(id).cloned().ok_or(Rejection::RoleNotFound)?;
        if self.expected.is_some_and(|expected| expected != current) {
            return Err(Rejection::StaleRole { current }.into());
        }
        role.editable()?;
        self.held.may_grant(&role.permissions)?;
        if let Some(permissions) = &self.changes.permissions {
            self.held.may_grant(permissions)?;
            role.permissions = permissions.clone();
        }
        if let Some(name) = &self.changes.name {
            role.name = name.clone();
        }
        if let Some(description) = &self.changes.description {
            role.description.clone_from(description);
        }
        states.put(id, role.clone());
        Ok(Versioned { id, version: states.version::<Role>(id), state: role })
    }
}

struct RemoveRole {
    id: RoleId,
    expected: Option<u64>,
    held: PermissionSet,
}

impl Command for RemoveRole {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Role>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<(), Error> {
        let current = states.version::<Role>(self.id.uuid());
        let role = states.get::<Role>(self.id.uuid()).ok_or(Rejection::RoleNotFound)?;
        if self.expected.is_some_and(|expected| expected != current) {
            return Err(Rejection::StaleRole { current }.into());
        }
        role.removable()?;
        self.held.may_grant(&role.permissions)?;
        states.delete::<Role>(self.id.uuid());
        Ok(())
    }
}
