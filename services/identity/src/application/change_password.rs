//! The owner of an account replaces its password; every other session of theirs ends.

use kernel::Timestamp;
use platform::context::Context;
use platform::executor::{Command, Keys, States};

use super::{Error, Identity, Settings, TRIES, asker, own_session, sessions};
use crate::domain::{
    Account, AccountId, Password, Place, Reason, Rejection, Session, SessionId, password,
};
use crate::ports::Verdict;

impl Identity {
    pub async fn change_password(
        &self,
        context: &Context,
        place: Option<Place>,
        current: Password,
        new: Password,
    ) -> Result<(), Error> {
        let mut account = self.own_account(context).await?;
        let profile = account.active()?;
        password::check(&new, &profile.email, "new_password")?;
        if new.expose() == current.expose() {
            let reason = "differs from the current one";
            return Err(Rejection::WeakPassword { field: "new_password", reason }.into());
        }
        account.check_one_time(self.settings.one_time_password_life, self.now())?;
        let now = self.now();
        let admitted = self.throttle.begin(account.kind, &profile.email, place.as_ref(), now)?;
        let asker = asker(context, place.as_ref());
        let stored = profile.credential.hash.clone();
        if self.passwords.verify(&asker, current, Some(stored.clone())).await? == Verdict::Wrong {
            admitted.failed(self.now());
            return Err(Rejection::WrongPassword.into());
        }
        admitted.succeeded(self.now());
        let hash = self.passwords.hash(&asker, new).await?;
        for _ in 0..TRIES {
            let command = ChangePassword {
                account: AccountId::from_uuid(account.id),
                keep: own_session(context),
                sessions: account.sessions.clone(),
                stored: stored.clone(),
                hash: hash.clone(),
                settings: self.settings,
            };
            match self.executor.execute(context, command).await {
                Err(Error::Rejected(Rejection::Raced)) => {}
                settled => return settled,
            }
            account = self.own_account(context).await?;
        }
        Err(Rejection::Raced.into())
    }
}

struct ChangePassword {
    account: AccountId,
    keep: Option<SessionId>,
    sessions: Vec<SessionId>,
    stored: String,
    hash: String,
    settings: Settings,
}

impl Command for ChangePassword {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Account>(self.account.uuid());
        for session in &self.sessions {
            keys.add::<Session>(session.uuid());
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        let account = states.get::<Account>(self.account.uuid());
        let mut account = account.cloned().ok_or(Rejection::NotSignedIn)?;
        if account.active()?.credential.hash != self.stored {
            // Changed or renewed since it was compared.
            return Err(Rejection::Raced.into());
        }
        account.change_password(self.hash.clone(), now)?;
        sessions::revoke_all(
            states,
            &self.settings,
            &mut account,
            &self.sessions,
            self.keep,
            Reason::PasswordChanged,
            now,
        )?;
        states.put(self.account.uuid(), account);
        Ok(())
    }
}
