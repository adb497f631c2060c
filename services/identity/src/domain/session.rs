//! A session: one sign-in and the family of refresh tokens that came of it (RFC 9700, 4.14.2).

use std::time::Duration;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::account::Kind;
use super::ids::AccountId;
use super::refresh_token::TokenHash;

/// How long after its use a token still gets its successor again, so that an answer lost on the
/// way does not sign people out.
pub const REPEAT_WINDOW: Duration = Duration::from_secs(10);

/// How long a session lasts.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// Without a refresh.
    pub idle: Duration,
    /// At most, however often it is refreshed.
    pub longest: Duration,
    /// How long a revoked session is kept, so that services learn of it: longer than any access
    /// token lives.
    pub remember_revoked: Duration,
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Logout,
    Reuse,
    PasswordChanged,
    Disabled,
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Reuse => "reuse",
            Self::PasswordChanged => "password_changed",
            Self::Disabled => "disabled",
        }
    }
}

/// The token that was exchanged last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedToken {
    hash: TokenHash,
    at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "life", rename_all = "snake_case")]
pub enum Life {
    Live {
        current: TokenHash,
        #[serde(default)]
        used: Option<UsedToken>,
    },
    Revoked {
        at: Timestamp,
        reason: Reason,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub account: AccountId,
    pub kind: Kind,
    pub signed_in_at: Timestamp,
    pub refreshed_at: Timestamp,
    /// When it ends unless refreshed; for a revoked one, when it may be forgotten.
    pub ends_at: Timestamp,
    #[serde(flatten)]
    life: Life,
}

/// What came of presenting a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The token was current; its successor is now.
    Rotated,
    /// The answer was lost and is given again.
    Repeated,
    /// The token had been used before: somebody else has it. The whole session is revoked.
    Reused,
    /// The session had ended.
    Ended,
}

impl Session {
    pub fn open(
        account: AccountId,
        kind: Kind,
        first: TokenHash,
        lifetimes: &Lifetimes,
        now: Timestamp,
    ) -> Self {
        Self {
            account,
            kind,
            signed_in_at: now,
            refreshed_at: now,
            ends_at: now.plus(lifetimes.idle.min(lifetimes.longest)),
            life: Life::Live { current: first, used: None },
        }
    }

    pub fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.life, Life::Live { .. }) && now < self.ends_at
    }

    pub fn revoked_at(&self) -> Option<Timestamp> {
        match self.life {
            Life::Revoked { at, .. } => Some(at),
            Life::Live { .. } => None,
        }
    }

    /// Ends the session. `false` when it had ended already: there is nothing to announce then.
    pub fn revoke(&mut self, reason: Reason, lifetimes: &Lifetimes, now: Timestamp) -> bool {
        if !self.is_live(now) {
            return false;
        }
        // A clock that was set back must not date the end before the last tokens: they live on by
        // the right time, and so long must it be known.
        let at = now.max(self.refreshed_at);
        self.life = Life::Revoked { at, reason };
        self.ends_at = at.plus(lifetimes.remember_revoked);
        true
    }

    /// Whether `token` is the current one or was until a moment ago: enough to sign out with.
    pub fn owns(&self, token: &TokenHash) -> bool {
        match &self.life {
            Life::Live { current, used } => {
                current.matches(token) || used.as_ref().is_some_and(|u| u.hash.matches(token))
            }
            Life::Revoked { .. } => false,
        }
    }

    /// Exchanges `presented`, a token this server issued for this session, for `successor`.
    pub fn rotate(
        &mut self,
        presented: &TokenHash,
        successor: TokenHash,
        lifetimes: &Lifetimes,
        now: Timestamp,
    ) -> Rotation {
        if !self.is_live(now) {
            return Rotation::Ended;
        }
        let Life::Live { current, used } = &mut self.life else {
            return Rotation::Ended;
        };
        if current.matches(presented) {
            *used = Some(UsedToken { hash: presented.clone(), at: now });
            *current = successor;
            self.refreshed_at = now;
            self.ends_at = now.plus(lifetimes.idle).min(self.signed_in_at.plus(lifetimes.longest));
            return Rotation::Rotated;
        }
        // The successor is unused exactly while it is current.
        let repeated = used
            .as_ref()
            .is_some_and(|u| u.hash.matches(presented) && now.since(u.at) <= REPEAT_WINDOW)
            && current.matches(&successor);
        if repeated {
            return Rotation::Repeated;
        }
        self.revoke(Reason::Reuse, lifetimes, now);
        Rotation::Reused
    }
}
