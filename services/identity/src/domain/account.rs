//! An account: a customer or a member of staff. All personal data of a person is in its
//! [`Profile`]; erasing drops the profile and keeps the bare id that orders point to.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use kernel::utoipa::{self, ToSchema};
use kernel::{Address, Email, Locale, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::{AddressId, RoleId, SessionId};
use super::person_name::PersonName;
use super::rejection::Rejection;

/// How many addresses one account keeps.
pub const MAX_ADDRESSES: usize = 20;
/// How many sessions one account has at a time; a further sign-in ends the oldest.
pub const MAX_SESSIONS: usize = 50;

/// How many answers with personal data of one account are kept for repeated requests.
pub const MAX_ANSWERS: usize = 100;
/// Answers are kept for less long than this.
const ANSWERS_KEPT: Duration = Duration::from_hours(24 * 4);

/// Whom an account belongs to. It never changes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = AccountKind)]
pub enum Kind {
    Customer,
    Staff,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
        }
    }
}

/// The stored form of a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// A PHC string: `$argon2id$v=19$m=…`.
    pub hash: String,
    /// Made by somebody else and to be replaced by its owner, who can do nothing else with it.
    pub one_time: bool,
    /// When it was made; absent in credentials of before that was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential(one_time: {}, …)", self.one_time)
    }
}

/// One entry of the address book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedAddress {
    pub id: AddressId,
    pub address: Address,
}

/// An answer that is kept for a repeated request and shows personal data of the account: erasing
/// the account erases it too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedAnswer {
    /// Who asked, of which route, with which idempotency key.
    pub owner: String,
    pub route: String,
    pub key: String,
    pub fingerprint: String,
    pub at: Timestamp,
}

/// Everything personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub email: Email,
    #[serde(default)]
    pub name: Option<PersonName>,
    #[serde(default)]
    pub locale: Option<Locale>,
    pub credential: Credential,
    /// Empty for customers.
    #[serde(default)]
    pub roles: BTreeSet<RoleId>,
    /// In the order they were added.
    #[serde(default)]
    pub addresses: Vec<SavedAddress>,
}

/// Where an account is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    Active { profile: Profile },
    Disabled { profile: Profile, since: Timestamp },
    Erased { since: Timestamp },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub kind: Kind,
    pub registered_at: Timestamp,
    #[serde(flatten)]
    pub standing: Standing,
    /// Sessions that may be alive, oldest first. Some have ended by themselves; none is missing.
    #[serde(default)]
    pub sessions: Vec<SessionId>,
    /// Kept answers that show the profile, oldest first; only a customer's, who can be erased.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<SavedAnswer>,
}

impl Account {
    pub fn customer(
        email: Email,
        name: Option<PersonName>,
        locale: Option<Locale>,
        hash: String,
        now: Timestamp,
    ) -> Self {
        let credential = Credential { hash, one_time: false, made_at: Some(now) };
        Self::new(Kind::Customer, email, name, locale, credential, BTreeSet::new(), now)
    }

    /// A member of staff whose first password was made for them.
    pub fn staff(
        email: Email,
        name: Option<PersonName>,
        hash: String,
        roles: BTreeSet<RoleId>,
        now: Timestamp,
    ) -> Self {
        let credential = Credential { hash, one_time: true, made_at: Some(now) };
        Self::new(Kind::Staff, email, name, None, credential, roles, now)
    }

    fn new(
        kind: Kind,
        email: Email,
        name: Option<PersonName>,
        locale: Option<Locale>,
        credential: Credential,
        roles: BTreeSet<RoleId>,
        now: Timestamp,
    ) -> Self {
        let profile = Profile { email, name, locale, credential, roles, addresses: Vec::new() };
        Self {
            kind,
            registered_at: now,
            standing: Standing::Active { profile },
            sessions: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// The personal data, unless it was erased.
    pub fn profile(&self) -> Option<&Profile> {
        match &self.standing {
            Standing::Active { profile } | Standing::Disabled { profile, .. } => Some(profile),
            Standing::Erased { .. } => None,
        }
    }

    /// The personal data of an account that may sign in and act.
    pub fn active(&self) -> Result<&Profile, Rejection> {
        match &self.standing {
            Standing::Active { profile } => Ok(profile),
            Standing::Disabled { .. } | Standing::Erased { .. } => Err(Rejection::NotSignedIn),
        }
    }

    pub fn active_mut(&mut self) -> Result<&mut Profile, Rejection> {
        match &mut self.standing {
            Standing::Active { profile } => Ok(profile),
            Standing::Disabled { .. } | Standing::Erased { .. } => Err(Rejection::NotSignedIn),
        }
    }

    /// The roles that count: those of an active account.
    pub fn effective_roles(&self) -> BTreeSet<RoleId> {
        self.active().map(|profile| profile.roles.clone()).unwrap_or_default()
    }

    /// Gives and takes roles, also while the account is disabled.
    pub fn assign_roles(&mut self, roles: BTreeSet<RoleId>) -> Result<(), Rejection> {
        if self.kind != Kind::Staff && !roles.is_empty() {
            return Err(Rejection::RolesNeedStaff);
        }
        match &mut self.standing {
            Standing::Active { profile } | Standing::Disabled { profile, .. } => {
                profile.roles = roles;
                Ok(())
            }
            Standing::Erased { .. } => Err(Rejection::AccountNotFound),
        }
    }

    /// Stops every use of the account. Disabling twice keeps the first time.
    pub fn disable(&mut self, now: Timestamp) -> Result<(), Rejection> {
        match &self.standing {
            Standing::Active { profile } => {
                self.standing = Standing::Disabled { profile: profile.clone(), since: now };
                Ok(())
            }
            Standing::Disabled { .. } => Ok(()),
            Standing::Erased { .. } => Err(Rejection::AccountNotFound),
        }
    }

    pub fn enable(&mut self) -> Result<(), Rejection> {
        match &self.standing {
            Standing::Disabled { profile, .. } => {
                self.standing = Standing::Active { profile: profile.clone() };
                Ok(())
            }
            Standing::Active { .. } => Ok(()),
            Standing::Erased { .. } => Err(Rejection::AccountNotFound),
        }
    }

    /// Forgets the person. What stays is the id, the kind and the times. Answers with the kept
    /// answers that are to be erased with it.
    pub fn erase(&mut self, now: Timestamp) -> Result<Vec<SavedAnswer>, Rejection> {
        if self.kind == Kind::Staff {
            return Err(Rejection::StaffErasure);
        }
        self.active()?;
        self.standing = Standing::Erased { since: now };
        self.sessions.clear();
        Ok(std::mem::take(&mut self.answers))
    }

    /// Notes an answer that will show the profile. Answers with one that has to be erased now,
    /// because there are too many to remember.
    pub fn note_answer(&mut self, answer: SavedAnswer) -> Option<SavedAnswer> {
        if self.kind != Kind::Customer {
            return None;
        }
        self.answers.retain(|known| answer.at.since(known.at) < ANSWERS_KEPT);
        self.answers.push(answer);
        (self.answers.len() > MAX_ANSWERS).then(|| self.answers.remove(0))
    }

    pub fn change_password(&mut self, hash: String, now: Timestamp) -> Result<(), Rejection> {
        let credential = Credential { hash, one_time: false, made_at: Some(now) };
        self.active_mut()?.credential = credential;
        Ok(())
    }

    /// Gives a member of staff a password that they replace. What they had is no longer good.
    pub fn reset_password(&mut self, hash: String, now: Timestamp) -> Result<(), Rejection> {
        if self.kind != Kind::Staff {
            return Err(Rejection::NotStaff);
        }
        let profile = self.active_mut().map_err(|_| Rejection::AccountDisabled)?;
        profile.credential = Credential { hash, one_time: true, made_at: Some(now) };
        Ok(())
    }

    /// Whether the password may still be used: one made by somebody else ends after `valid`.
    pub fn check_one_time(&self, valid: Duration, now: Timestamp) -> Result<(), Rejection> {
        let credential = &self.active()?.credential;
        let made_at = credential.made_at.unwrap_or(self.registered_at);
        if credential.one_time && now.since(made_at) >= valid {
            return Err(Rejection::OneTimePasswordExpired);
        }
        Ok(())
    }

    pub fn add_address(&mut self, id: AddressId, address: Address) -> Result<(), Rejection> {
        check_address(&address)?;
        let book = &mut self.active_mut()?.addresses;
        if book.len() >= MAX_ADDRESSES {
            return Err(Rejection::TooManyAddresses { max: MAX_ADDRESSES });
        }
        book.push(SavedAddress { id, address });
        Ok(())
    }

    pub fn replace_address(&mut self, id: AddressId, address: Address) -> Result<(), Rejection> {
        check_address(&address)?;
        let entry = self
            .active_mut()?
            .addresses
            .iter_mut()
            .find(|entry| entry.id == id)
            .ok_or(Rejection::AddressNotFound)?;
        entry.address = address;
        Ok(())
    }

    pub fn remove_address(&mut self, id: AddressId) -> Result<(), Rejection> {
        let book = &mut self.active_mut()?.addresses;
        let before = book.len();
        book.retain(|entry| entry.id != id);
        if book.len() == before {
            return Err(Rejection::AddressNotFound);
        }
        Ok(())
    }

    /// Notes a new session and forgets those known to have `ended`. Whoever calls has made room:
    /// when there is none, somebody else signed in meanwhile.
    pub fn open_session(
        &mut self,
        session: SessionId,
        ended: &BTreeSet<SessionId>,
    ) -> Result<(), Rejection> {
        self.sessions.retain(|known| !ended.contains(known));
        if self.sessions.len() >= MAX_SESSIONS {
            return Err(Rejection::Raced);
        }
        self.sessions.push(session);
        Ok(())
    }
}

fn check_address(address: &Address) -> Result<(), Rejection> {
    let fields = address.check("address");
    if fields.is_empty() { Ok(()) } else { Err(Rejection::InvalidAddress { fields }) }
}
