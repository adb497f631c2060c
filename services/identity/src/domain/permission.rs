//! Permissions: what a member of staff or an API key may do.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use kernel::utoipa::openapi::RefOr;
use kernel::utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use kernel::utoipa::{PartialSchema, ToSchema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::rejection::Rejection;

/// Every permission there is, with what it allows. `<area>:*` and `*` stand for many.
pub const KNOWN: &[(&str, &str)] = &[
    ("catalog:read", "See products in every state, categories and reports"),
    ("catalog:write", "Create, change, publish and remove products and categories"),
    ("catalog:import", "Import and export product files"),
    ("inventory:read", "See locations, stock levels and movements"),
    ("inventory:write", "Receive, adjust and move stock"),
    ("orders:read", "See every order and its customer"),
    ("orders:write", "Change orders"),
    ("orders:cancel", "Cancel orders"),
    ("payments:read", "See payments and the ledger"),
    ("payments:capture", "Capture authorized payments"),
    ("payments:refund", "Refund captured payments"),
    ("settings:read", "See shipping methods, taxes and other settings"),
    ("settings:write", "Change shipping methods, taxes and other settings"),
    ("accounts:read", "See customers and staff"),
    ("accounts:write", "Create staff, assign roles, disable accounts"),
    ("roles:read", "See roles and permissions"),
    ("roles:write", "Create, change and remove roles"),
    ("api-keys:read", "See API keys, without their secrets"),
    ("api-keys:write", "Create and revoke API keys"),
];

/// One permission: known by name, a whole `<area>:*`, or everything: `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Permission(String);

impl Permission {
    /// Everything, now and later.
    pub fn everything() -> Self {
        Self("*".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it allows, in words.
    pub fn describe(&self) -> String {
        if self.0 == "*" {
            return "Everything".to_owned();
        }
        if let Some(area) = self.0.strip_suffix(":*") {
            return format!("Everything about {area}");
        }
        KNOWN
            .iter()
            .find(|(name, _)| *name == self.0)
            .map_or_else(String::new, |(_, text)| (*text).to_owned())
    }

    /// Whether whoever holds `self` holds `other` as well. Holding each verb of an area is less
    /// than holding the area, because an area may grow.
    pub fn covers(&self, other: &Self) -> bool {
        self.0 == "*"
            || self == other
            || self.0.strip_suffix('*').is_some_and(|area| other.0.starts_with(area))
    }

    /// Every permission that can be granted: the known ones, the areas and `*`.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = KNOWN.iter().map(|(name, _)| Self((*name).into())).collect();
        let areas: BTreeSet<&str> = KNOWN.iter().filter_map(|(name, _)| area(name)).collect();
        all.extend(areas.into_iter().map(|area| Self(format!("{area}:*"))));
        all.push(Self::everything());
        all
    }
}

fn area(name: &str) -> Option<&str> {
    name.split_once(':').map(|(area, _)| area)
}

impl FromStr for Permission {
    type Err = UnknownPermission;
    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        let known = text == "*"
            || KNOWN.iter().any(|(name, _)| *name == text)
            || text
                .strip_suffix(":*")
                .is_some_and(|wanted| KNOWN.iter().any(|(name, _)| area(name) == Some(wanted)));
        if known { Ok(Self(text.to_owned())) } else { Err(UnknownPermission) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a permission; GET /v1/admin/permissions lists them")]
pub struct UnknownPermission;

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Permission {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Self::all().into_iter().map(|p| p.0)))
            .examples(["catalog:write"])
            .into()
    }
}
impl ToSchema for Permission {}

/// A set of permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PermissionSet(BTreeSet<Permission>);

impl PermissionSet {
    /// Reads the permissions a caller came with. Names that are no longer known grant nothing.
    pub fn of_caller<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().filter_map(|name| name.parse().ok()).collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    pub fn covers(&self, wanted: &Permission) -> bool {
        self.0.iter().any(|held| held.covers(wanted))
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|p| p.0.clone()).collect()
    }

    /// Whether a holder of `self` may grant `wanted`, or manage somebody who holds it.
    pub fn may_grant(&self, wanted: &Self) -> Result<(), Rejection> {
        let missing: Vec<String> = wanted
            .iter()
            .filter(|permission| !self.covers(permission))
            .map(|permission| permission.0.clone())
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(Rejection::NotHeld { missing }) }
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(names: &[&str]) -> PermissionSet {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn wildcards_cover_their_area_and_nothing_else() {
        assert!(set(&["*"]).may_grant(&set(&["*", "orders:read"])).is_ok());
        assert!(set(&["orders:*"]).may_grant(&set(&["orders:cancel", "orders:*"])).is_ok());
        let refused = set(&["orders:*", "catalog:read"]).may_grant(&set(&["catalog:write", "*"]));
        assert_eq!(
            refused,
            Err(Rejection::NotHeld { missing: vec!["*".into(), "catalog:write".into()] })
        );
        let verbs = set(&["orders:read", "orders:write", "orders:cancel"]);
        assert!(verbs.may_grant(&set(&["orders:*"])).is_err());
    }

    #[test]
    fn only_known_names_are_permissions() {
        for good in ["catalog:import", "api-keys:*", "*"] {
            assert!(good.parse::<Permission>().is_ok(), "{good}");
        }
        for bad in ["", "catalog", "catalog:", ":*", "*:*", "catalog:fly", "moon:*", "catalog:**"] {
            assert!(bad.parse::<Permission>().is_err(), "{bad}");
        }
        assert!(Permission::all().iter().all(|p| !p.describe().is_empty()));
    }

    proptest! {
        #[test]
        fn covering_is_reflexive_and_transitive(a in 0_usize..30, b in 0_usize..30, c in 0_usize..30) {
            let all = Permission::all();
            let [a, b, c] = [a, b, c].map(|i| &all[i % all.len()]);
            prop_assert!(a.covers(a));
            if a.covers(b) && b.covers(c) {
                prop_assert!(a.covers(c));
            }
        }
    }
}
