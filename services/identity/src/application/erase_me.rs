//! A customer has everything personal forgotten. Orders keep the bare id.

use contracts::identity::v1;
use kernel::Timestamp;
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;

use super::{Error, Identity, Settings, TRIES, answers, sessions};
use crate::domain::{Account, AccountId, Reason, Rejection, Session, SessionId};

impl Identity {
    /// Everybody who keeps copies learns of it by `AccountErased`; answers kept for repeated requests
    /// that show the person are erased in the same transaction.
    pub async fn erase_me(
        &self,
        context: &Context,
        once: Option<Idempotent<()>>,
        expected: Option<u64>,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            let account = self.own_account(context).await?;
            let command = EraseMe {
                account: AccountId::from_uuid(account.id),
                sessions: account.sessions.clone(),
                expected,
                settings: self.settings,
            };
            match self.executor.execute_once(context, once.clone(), command).await {
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
    expected: Option<u64>,
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
        let id = self.account.uuid();
        let current = states.version::<Account>(id);
        let mut account = states.get::<Account>(id).cloned().ok_or(Rejection::NotSignedIn)?;
        if self.expected.is_some_and(|expected| expected != current) {
            return Err(Rejection::StaleAccount { current }.into());
        }
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
        let kept = account.erase(now)?;
        answers::erase(states, kept);
        states.put(id, account);
        let event = v1::AccountErased { account_id: id.as_bytes().to_vec() };
        states.emit::<Account, _>(id, &event);
        Ok(())
    }
}
