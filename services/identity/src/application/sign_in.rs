//! Somebody signs in with e-mail address and password: a customer or a member of staff.
//!
//! A wrong password, an unknown address, an account of the other kind and a disabled account get
//! the same answer after the same work: one hash.

use kernel::{Email, Timestamp};
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::store::Versioned;

use super::sessions::{self, Room};
use super::{Error, Identity, Settings, SignedIn, TRIES, asker};
use crate::domain::{
    Account, AccountId, Kind, Password, Place, RefreshToken, Rejection, Session, SessionId,
    TokenHash,
};
use crate::ports::{Asker, Verdict};

impl Identity {
    pub async fn sign_in(
        &self,
        context: &Context,
        place: Option<Place>,
        kind: Kind,
        email: Email,
        password: Password,
    ) -> Result<SignedIn, Error> {
        let admitted = self.throttle.begin(kind, &email, place.as_ref(), self.now())?;
        let asker = asker(context, place.as_ref());
        for _ in 0..TRIES {
            let Some(proven) = self.prove(&asker, kind, &email, &password).await? else {
                admitted.failed(self.now());
                return Err(Rejection::InvalidCredentials.into());
            };
            match self.begin_session(context, proven).await {
                Ok(signed_in) => {
                    admitted.succeeded(self.now());
                    return Ok(signed_in);
                }
                // Signed in elsewhere, or the hash was renewed or changed: look again.
                Err(Error::Rejected(Rejection::Raced)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Rejection::Raced.into())
    }

    /// The account, if the password is its own. One hash, whatever the outcome; a second one when
    /// the first was right and outdated.
    async fn prove(
        &self,
        asker: &Asker,
        kind: Kind,
        email: &Email,
        password: &Password,
    ) -> Result<Option<Proven>, Error> {
        let found = self.store().by::<Account>("email", email.as_str()).await?;
        let found = found.filter(|account| account.kind == kind && account.active().is_ok());
        let stored = found.as_ref().and_then(|account| verified_hash(account));
        let verdict = self.passwords.verify(asker, password.clone(), stored.clone()).await?;
        let (Some(account), Some(stored), Verdict::Right { outdated }) = (found, stored, verdict)
        else {
            return Ok(None);
        };
        // A busy hasher is no reason to refuse a right password: the next sign-in renews it.
        let renewed =
            if outdated { self.passwords.hash(asker, password.clone()).await.ok() } else { None };
        Ok(Some(Proven { account, stored, renewed }))
    }

    async fn begin_session(&self, context: &Context, proven: Proven) -> Result<SignedIn, Error> {
        let Proven { account, stored, renewed } = proven;
        let env = self.executor.env();
        let ring = self.ring(context).await?;
        let refresh = RefreshToken::first(&ring.secret, env.id(), env.random());
        let id = AccountId::from_uuid(account.id);
        let command = BeginSession {
            account_id: id,
            session_id: refresh.session(),
            first: refresh.hash(),
            stored,
            renewed,
            room: self.room_for_session(&account).await?,
            settings: self.settings,
        };
        let ends_at = self.executor.execute(context, command).await?;
        let subject = self.subject(id, account.kind, account.active()?).await?;
        self.tokens_for(context, subject, &refresh, ends_at).await
    }
}

/// An account whose owner is here.
struct Proven {
    account: Versioned<Account>,
    /// The hash that the password was compared with.
    stored: String,
    /// What replaces it, when its costs are no longer today's.
    renewed: Option<String>,
}

/// The hash to compare with.
fn verified_hash(account: &Account) -> Option<String> {
    account.active().ok().map(|profile| profile.credential.hash.clone())
}

struct BeginSession {
    account_id: AccountId,
    session_id: SessionId,
    first: TokenHash,
    stored: String,
    renewed: Option<String>,
    room: Room,
    settings: Settings,
}

impl Command for BeginSession {
    type Reply = Timestamp;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Account>(self.account_id.uuid());
        keys.add::<Session>(self.session_id.uuid());
        if let Some(oldest) = self.room.evict {
            keys.add::<Session>(oldest.uuid());
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Timestamp, Error> {
        let account = states.get::<Account>(self.account_id.uuid());
        let mut account = account.cloned().ok_or(Rejection::InvalidCredentials)?;
        let life = self.settings.one_time_password_life;
        account.active().map_err(|_| Rejection::InvalidCredentials)?;
        // The password was right: whoever knows it may learn that it is too old.
        account.check_one_time(life, now)?;
        let profile = account.active_mut()?;
        if profile.credential.hash != self.stored {
            return Err(Rejection::Raced.into());
        }
        if let Some(renewed) = &self.renewed {
            profile.credential.hash.clone_from(renewed);
        }
        let session = (self.session_id, &self.first);
        let account = (self.account_id, account);
        Ok(sessions::open(states, &self.settings, account, session, &self.room, now)?)
    }
}
