//! What signing in, registering and refreshing share: tokens for a session, and its beginning and
//! end inside a command.

use std::collections::BTreeSet;

use contracts::identity::v1;
use kernel::Timestamp;
use platform::context::Context;
use platform::executor::States;
use platform::store::Versioned;

use super::{Error, Identity, Settings};
use crate::domain::account::MAX_SESSIONS;
use crate::domain::{
    AccessClaims, Account, AccountId, Kind, PermissionSet, Profile, Reason, RefreshToken,
    Rejection, Role, Session, SessionId, TokenHash,
};

/// What a person gets who proved who they are.
#[derive(Clone)]
pub struct SignedIn {
    pub account: AccountId,
    pub session: SessionId,
    pub access_token: String,
    /// Seconds.
    pub access_expires_in_s: u64,
    pub refresh_token: String,
    pub refresh_expires_at: Timestamp,
    pub password_change_required: bool,
}

/// Facts about the person that the tokens are for.
pub(super) struct Subject {
    pub account: AccountId,
    pub kind: Kind,
    pub permissions: PermissionSet,
    pub password_change_required: bool,
}

impl Identity {
    /// What the account's roles allow together. Roles that no longer exist allow nothing.
    pub(super) async fn permissions_of(&self, profile: &Profile) -> Result<PermissionSet, Error> {
        let ids: Vec<_> = profile.roles.iter().map(|role| role.uuid()).collect();
        if ids.is_empty() {
            return Ok(PermissionSet::default());
        }
        let mut all = PermissionSet::default();
        for role in self.store().get_many::<Role>(&ids).await? {
            all.extend(&role.permissions);
        }
        Ok(all)
    }

    pub(super) async fn subject(
        &self,
        account: AccountId,
        kind: Kind,
        profile: &Profile,
    ) -> Result<Subject, Error> {
        let one_time = profile.credential.one_time;
        let permissions =
            if one_time { PermissionSet::default() } else { self.permissions_of(profile).await? };
        Ok(Subject { account, kind, permissions, password_change_required: one_time })
    }

    pub(super) async fn tokens_for(
        &self,
        context: &Context,
        subject: Subject,
        refresh: &RefreshToken,
        refresh_expires_at: Timestamp,
    ) -> Result<SignedIn, Error> {
        let ring = self.ring(context).await?;
        let now = self.now();
        let claims = AccessClaims {
            account: subject.account,
            session: refresh.session(),
            kind: subject.kind,
            permissions: subject.permissions,
            one_time: subject.password_change_required,
            issued_at: now,
            token_id: self.executor.env().uuid(),
        };
        let (id, key) = ring.signing(now)?;
        Ok(SignedIn {
            account: subject.account,
            session: refresh.session(),
            access_token: self.tokens.sign(id, key, &claims)?,
            access_expires_in_s: self.settings.keys.token_life.as_secs(),
            refresh_token: refresh.expose(),
            refresh_expires_at,
            password_change_required: subject.password_change_required,
        })
    }

    /// Which of the account's sessions are over, and which is the oldest alive when there are as
    /// many as there may be.
    pub(super) async fn room_for_session(&self, account: &Account) -> Result<Room, Error> {
        let ids: Vec<_> = account.sessions.iter().map(|id| id.uuid()).collect();
        let known = if ids.is_empty() {
            Vec::new()
        } else {
            self.store().get_many::<Session>(&ids).await?
        };
        let now = self.now();
        let alive: Vec<SessionId> = known
            .iter()
            .filter(|session| session.is_live(now))
            .map(|session| SessionId::from_uuid(session.id))
            .collect();
        let ended = account.sessions.iter().filter(|id| !alive.contains(id)).copied().collect();
        let evict = if alive.len() >= MAX_SESSIONS { alive.first().copied() } else { None };
        Ok(Room { ended, evict })
    }

    /// The sessions of an account that are alive, oldest first.
    pub(super) async fn live_sessions(
        &self,
        account: &Account,
    ) -> Result<Vec<Versioned<Session>>, Error> {
        let ids: Vec<_> = account.sessions.iter().map(|id| id.uuid()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut sessions = self.store().get_many::<Session>(&ids).await?;
        let now = self.now();
        sessions.retain(|session| session.is_live(now));
        Ok(sessions)
    }
}

/// How a new session finds its place.
#[derive(Clone, Default)]
pub(super) struct Room {
    pub ended: BTreeSet<SessionId>,
    pub evict: Option<SessionId>,
}

/// Begins a session of `account`, which is put back changed.
pub(super) fn open(
    states: &mut States<'_>,
    settings: &Settings,
    (account_id, mut account): (AccountId, Account),
    (session_id, first): (SessionId, &TokenHash),
    room: &Room,
    now: Timestamp,
) -> Result<Timestamp, Rejection> {
    let mut ended = room.ended.clone();
    if let Some(oldest) = room.evict {
        revoke(states, settings, oldest, Reason::Logout, now);
        ended.insert(oldest);
    }
    account.open_session(session_id, &ended)?;
    let lifetimes = settings.lifetimes(account.kind);
    let session = Session::open(account_id, account.kind, first.clone(), &lifetimes, now);
    let ends_at = session.ends_at;
    states.put(session_id.uuid(), session);
    states.put(account_id.uuid(), account);
    Ok(ends_at)
}

/// Ends a session and tells the world, unless it had ended.
pub(super) fn revoke(
    states: &mut States<'_>,
    settings: &Settings,
    id: SessionId,
    reason: Reason,
    now: Timestamp,
) {
    let Some(session) = states.get::<Session>(id.uuid()) else {
        return;
    };
    let mut session = session.clone();
    if session.revoke(reason, &settings.lifetimes(session.kind), now) {
        announce(states, id, &session, reason);
        states.put(id.uuid(), session);
    }
}

pub(super) fn announce(states: &mut States<'_>, id: SessionId, session: &Session, reason: Reason) {
    let event = v1::SessionRevoked {
        session_id: id.uuid().as_bytes().to_vec(),
        account_id: session.account.uuid().as_bytes().to_vec(),
        reason: reason.as_str().to_owned(),
    };
    states.emit::<Session, _>(id.uuid(), &event);
}

/// Ends all sessions of an account but `keep`. The command has declared `declared`; when the
/// account has others by now, somebody signed in meanwhile and the use case reads again.
pub(super) fn revoke_all(
    states: &mut States<'_>,
    settings: &Settings,
    account: &mut Account,
    declared: &[SessionId],
    keep: Option<SessionId>,
    reason: Reason,
    now: Timestamp,
) -> Result<(), Rejection> {
    if account.sessions.iter().any(|session| !declared.contains(session)) {
        return Err(Rejection::Raced);
    }
    for session in account.sessions.iter().filter(|session| Some(**session) != keep) {
        revoke(states, settings, *session, reason, now);
    }
    account.sessions.retain(|session| Some(*session) == keep);
    Ok(())
}
