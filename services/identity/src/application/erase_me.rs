//! A customer has everything personal forgotten. Orders keep the bare id.

use contracts::identity::v1;
use kernel::Timestamp;
use platform::context::Context;
use platform::executor::{Command, Keys, States};

use super::{Error, Identity, Settings, TRIES, sessions};
use crate::domain::{Account, AccountId, Reason, Rejection, Session, SessionId};

impl Identity {
    pub async fn erase_me(&self, context: &Context) -> Result<(), Error> {
        for _ in 0..TRIES {
            let account = self.own_account(context).await?;
            let command = EraseMe {
                account: AccountId::from_uuid(account.id),
                sessions: account.sessions.clone(),
                settings: self.settings,
            };
            match self.executor.execute(context, command).await {
                Err(Error::Rejected(Rejection::Raced)) => {}
                settled => return settled,
            }
        }
        Err(Rejection::Raced.into())
    }
}

struct EraseMe {
    account: AccountId,
    sessions: Vec<SessionId>,
    settings: Settings,
}

impl Command for EraseMe {
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
        let (settings, declared) = (&self.settings, &self.sessions);
        sessions::revoke_all(
            states,
            settings,
            &mut account,
            declared,
            None,
            Reason::Disabled,
            now,
        )?;
        account.erase(now)?;
        let id = self.account.uuid();
        states.put(id, account);
        let event = v1::AccountErased { account_id: id.as_bytes().to_vec() };
        states.emit::<Account, _>(id, &event);
        Ok(())
    }
}
