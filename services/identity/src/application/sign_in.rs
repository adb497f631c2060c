//! Somebody signs in with e-mail address and password: a customer or a member of staff.
//!
//! A wrong password, an unknown address, an account of the other kind and a disabled account get
//! the same answer after the same work: one hash.

use kernel::{Email, Timestamp};
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::store::Versioned;

use super::sessions::{self, Room};
use super::{Error, Identity, Settings, SignedIn, TRIES};
use crate::domain::{
    Account, AccountId, Kind, Password, RefreshToken, Rejection, Session, SessionId, TokenHash,
};
use crate::ports::Verdict;

impl Identity {
    pub async fn sign_in(
        &self,
        context: &Context,
        kind: Kind,
        email: Email,
        password: Password,
    ) -> Result<SignedIn, Error> {
        let admitted = self.throttle.begin(kind, &email, self.now())?;
        let found = self.store().by::<Account>("email", email.as_str()).await?;
        let found = found.filter(|a| a.kind == kind && a.active().is_ok());
        let stored = found.as_ref().and_then(|account| verified_hash(account));
        let verdict = self
            .passwords
            .verify(password.clone(), stored.clone())
            .await?;
        let (Some(account), Some(stored), Verdict::Right { outdated }) = (found, stored, verdict)
        else {
            admitted.failed(self.now());
            return Err(Rejection::InvalidCredentials.into());
        };
        admitted.succeeded();
        // A busy hasher is no reason to refuse a right password: the next sign-in renews it.
        let renewed = if outdated {
            self.passwords.hash(password).await.ok()
        } else {
            None
        };
        self.begin_session(context, account, stored, renewed).await
    }

    async fn begin_session(
        &self,
        context: &Context,
        mut account: Versioned<Account>,
        stored: String,
        renewed: Option<String>,
    ) -> Result<SignedIn, Error> {
        let env = self.executor.env();
        let ring = self.ring(context).await?;
        let id = AccountId::from_uuid(account.id);
        for _ in 0..TRIES {
            let refresh = RefreshToken::first(&ring.secret, env.id(), env.random());
            let command = BeginSession {
                account_id: id,
                session_id: refresh.session(),
                first: refresh.hash(),
                stored: stored.clone(),
                renewed: renewed.clone(),
                room: self.room_for_session(&account).await?,
                settings: self.settings,
            };
            match self.executor.execute(context, command).await {
                Ok(ends_at) => {
                    let profile = account.active()?;
                    let subject = self.subject(id, account.kind, profile).await?;
                    return self.tokens_for(context, subject, &refresh, ends_at).await;
                }
                Err(Error::Rejected(Rejection::Raced)) => {}
                Err(error) => return Err(error),
            }
            let read = self.store().get::<Account>(id.uuid()).await?;
            account = read.ok_or(Rejection::InvalidCredentials)?;
        }
        Err(Rejection::Raced.into())
    }
}

/// The hash to compare with.
fn verified_hash(account: &Account) -> Option<String> {
    account
        .active()
        .ok()
        .map(|profile| profile.credential.hash.clone())
}

struct BeginSession {
    account_id: AccountId,
    session_id: SessionId,
    first: TokenHash,
    /// The hash that the password was compared with.
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
        let profile = account
            .active_mut()
            .map_err(|_| Rejection::InvalidCredentials)?;
        if profile.credential.hash == self.stored {
            if let Some(renewed) = &self.renewed {
                profile.credential.hash.clone_from(renewed);
            }
        } else if self.renewed.as_ref() != Some(&profile.credential.hash) {
            // The password was changed between the comparison and now.
            return Err(Rejection::InvalidCredentials.into());
        }
        let session = (self.session_id, &self.first);
        let account = (self.account_id, account);
        Ok(sessions::open(
            states,
            &self.settings,
            account,
            session,
            &self.room,
            now,
        )?)
    }
}
