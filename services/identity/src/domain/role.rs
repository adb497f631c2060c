//! Roles: named sets of permissions that members of staff hold.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use kernel::Timestamp;
use kernel::utoipa::openapi::RefOr;
use kernel::utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use kernel::utoipa::{PartialSchema, ToSchema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::ids::AccountId;
use super::permission::{Permission, PermissionSet};
use super::rejection::Rejection;

/// How many active accounts hold one role.
pub const MAX_HOLDERS: usize = 1_000;
/// The built-in role with every permission.
pub const OWNER: &str = "owner";

/// 1 to 64 lower-case letters, digits, `-` and `_`, a letter first; unique in the shop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct RoleName(String);

impl RoleName {
    pub fn owner() -> Self {
        Self(OWNER.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RoleName {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err("a role name has 1 to 64 lower-case letters, digits, - and _, a letter first")
        }
    }
}

impl<'de> Deserialize<'de> for RoleName {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for RoleName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[a-z][a-z0-9_-]{0,63}$"))
            .examples(["support"])
            .into()
    }
}
impl ToSchema for RoleName {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    pub name: RoleName,
    pub description: String,
    pub permissions: PermissionSet,
    pub built_in: bool,
    pub created_at: Timestamp,
    /// The *active* accounts that hold the role. Kept here so that "an owner always remains" is
    /// decided on one aggregate.
    #[serde(default)]
    holders: BTreeSet<AccountId>,
}

impl Role {
    pub fn new(
        name: RoleName,
        description: String,
        permissions: PermissionSet,
        now: Timestamp,
    ) -> Self {
        Self {
            name,
            description,
            permissions,
            built_in: false,
            created_at: now,
            holders: BTreeSet::new(),
        }
    }

    /// The built-in role: everything, for ever.
    pub fn owner(now: Timestamp) -> Self {
        Self {
            name: RoleName::owner(),
            description: "Everything. Built in: it cannot be changed or removed.".to_owned(),
            permissions: PermissionSet::from_iter([Permission::everything()]),
            built_in: true,
            created_at: now,
            holders: BTreeSet::new(),
        }
    }

    pub fn holders(&self) -> usize {
        self.holders.len()
    }

    /// Whether the role may be changed or removed at all.
    pub fn editable(&self) -> Result<(), Rejection> {
        if self.built_in { Err(Rejection::BuiltInRole) } else { Ok(()) }
    }

    /// Whether the role may be removed now.
    pub fn removable(&self) -> Result<(), Rejection> {
        self.editable()?;
        match self.holders.len() {
            0 => Ok(()),
            holders => Err(Rejection::RoleInUse { holders }),
        }
    }

    pub fn give_to(&mut self, account: AccountId) -> Result<(), Rejection> {
        if self.holders.len() >= MAX_HOLDERS && !self.holders.contains(&account) {
            return Err(Rejection::TooManyHolders { max: MAX_HOLDERS });
        }
        self.holders.insert(account);
        Ok(())
    }

    /// Takes the role from an account that is demoted or disabled.
    pub fn take_from(&mut self, account: AccountId) -> Result<(), Rejection> {
        let held = self.holders.remove(&account);
        if held && self.built_in && self.holders.is_empty() {
            self.holders.insert(account);
            return Err(Rejection::LastOwner);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use kernel::id::Uuid;
    use proptest::prelude::*;

    use super::*;

    fn account(n: u8) -> AccountId {
        AccountId::from_uuid(Uuid::from_u128(u128::from(n)))
    }

    #[test]
    fn the_owner_role_is_fixed() {
        let owner = Role::owner(Timestamp::EPOCH);
        assert_eq!(owner.editable(), Err(Rejection::BuiltInRole));
        assert_eq!(owner.removable(), Err(Rejection::BuiltInRole));
    }

    #[test]
    fn a_role_that_somebody_holds_stays() {
        let name = "support".parse().unwrap();
        let mut role = Role::new(name, String::new(), PermissionSet::default(), Timestamp::EPOCH);
        role.give_to(account(1)).unwrap();
        assert_eq!(role.removable(), Err(Rejection::RoleInUse { holders: 1 }));
        role.take_from(account(1)).unwrap();
        assert_eq!(role.removable(), Ok(()));
    }

    #[test]
    fn role_names_are_plain() {
        for bad in ["", "Owner", "1st", "a b", "ä", "-x", &"a".repeat(65)] {
            assert!(bad.parse::<RoleName>().is_err(), "{bad:?}");
        }
        assert!("night-shift_2".parse::<RoleName>().is_ok());
    }

    proptest! {
        #[test]
        fn once_there_is_an_owner_one_always_remains(steps in proptest::collection::vec((any::<bool>(), 0_u8..4), 0..50)) {
            let mut owner = Role::owner(Timestamp::EPOCH);
            owner.give_to(account(0)).unwrap();
            for (give, who) in steps {
                let _ = if give { owner.give_to(account(who)) } else { owner.take_from(account(who)) };
                prop_assert!(owner.holders() >= 1);
            }
        }
    }
}
