//! Who may use a route.

use std::fmt;
use std::str::FromStr;

use kernel::ErrorKind;

use super::Problem;
use crate::context::Principal;

/// What a route declares in `x-permission`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Any signed-in customer or staff member.
    Customer,
    /// The same, and whoever signed in with a one-time password: what they need to replace it.
    Account,
    /// Any staff member or API key.
    Staff,
    /// Whoever holds the permission, such as `orders:refund`.
    Permission(String),
}

impl Access {
    /// 401 for nobody, 403 for somebody who may not.
    pub fn check(&self, principal: &Principal) -> Result<(), Problem> {
        if matches!(principal, Principal::OneTime { .. }) && *self != Self::Account {
            return Err(Problem::new(
                ErrorKind::Forbidden,
                "password-change-required",
                "The one-time password must be replaced first, with POST /v1/auth/password. Then \
                 sign in again.",
            ));
        }
        let allowed = match self {
            Self::Public => true,
            Self::Customer | Self::Account => {
                principal.account().is_some() || matches!(principal, Principal::Service { .. })
            }
            Self::Staff => principal.is_staff() || matches!(principal, Principal::Service { .. }),
            Self::Permission(permission) => principal.allows(permission),
        };
        match principal {
            _ if allowed => Ok(()),
            Principal::Anonymous => Err(Problem::new(
                ErrorKind::Unauthenticated,
                "not-signed-in",
                "This needs a bearer token in the Authorization header.",
            )),
            _ => Err(Problem::new(ErrorKind::Forbidden, "forbidden", self.refusal())),
        }
    }

    fn refusal(&self) -> String {
        match self {
            Self::Permission(permission) => format!("This needs the permission {permission}."),
            Self::Staff => "This is for staff members and API keys.".to_owned(),
            _ => "This is for accounts; an API key has none.".to_owned(),
        }
    }
}

impl FromStr for Access {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "public" => return Ok(Self::Public),
            "customer" => return Ok(Self::Customer),
            "account" => return Ok(Self::Account),
            "staff" => return Ok(Self::Staff),
            _ => {}
        }
        let word = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        };
        match text.split_once(':') {
            Some((area, verb)) if word(area) && word(verb) => Ok(Self::Permission(text.to_owned())),
            _ => Err(format!(
                "{text:?} is none of \"public\", \"customer\", \"account\", \"staff\" and \
                 \"<area>:<verb>\""
            )),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Customer => "customer",
            Self::Account => "account",
            Self::Staff => "staff",
            Self::Permission(permission) => permission,
        })
    }
}

#[cfg(test)]
mod tests {
    use kernel::id::Uuid;

    use super::*;

    fn principals() -> [Principal; 7] {
        let id = Uuid::from_u128(1);
        let staff = |permissions: &[&str]| Principal::Staff {
            account: id,
            session: id,
            permissions: permissions.iter().map(|p| (*p).to_owned()).collect(),
        };
        [
            Principal::Anonymous,
            Principal::Customer { account: id, session: id },
            staff(&[]),
            staff(&["orders:*"]),
            Principal::ApiKey { key: id, permissions: ["orders:refund".to_owned()].into() },
            Principal::Service { name: "ordering".into() },
            Principal::OneTime { account: id, session: id },
        ]
    }

    #[test]
    fn the_matrix_of_principals_and_declarations() {
        // 0 = let in, else the status.
        let table = [
            ("public", [0, 0, 0, 0, 0, 0, 403]),
            ("customer", [401, 0, 0, 0, 403, 0, 403]),
            ("account", [401, 0, 0, 0, 403, 0, 0]),
            ("staff", [401, 403, 0, 0, 0, 0, 403]),
            ("orders:refund", [401, 403, 403, 0, 0, 0, 403]),
            ("orders:read", [401, 403, 403, 0, 403, 0, 403]),
            ("catalog:write", [401, 403, 403, 403, 403, 0, 403]),
        ];
        for (declared, expected) in table {
            let access: Access = declared.parse().unwrap();
            let got =
                principals().map(|p| access.check(&p).err().map_or(0, |e| e.status().as_u16()));
            assert_eq!(got, expected, "{declared}");
        }
    }

    #[test]
    fn other_words_are_not_declarations() {
        for text in ["", "admin", "orders:*", "*", "Orders:read", "orders:", ":read", "a:b:c"] {
            assert!(text.parse::<Access>().is_err(), "{text}");
        }
    }
}
