//! A member of staff gets a new one-time password: from an administrator, or from whoever runs the
//! shop and has its data folder. Every session of theirs ends.

use kernel::{Email, Timestamp};
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::store::Versioned;

use super::{Error, Identity, Settings, TRIES, asker, held_by, sessions};
use crate::domain::{
    Account, AccountId, Kind, Password, PermissionSet, Reason, Rejection, Role, RoleId, Session,
    SessionId, one_time_password,
};

impl Identity {
    /// The account and its one-time password, which is not told again. Nobody resets the password
    /// of somebody who holds more than they do, nor their own: a stolen token must not be enough.
    pub async fn reset_password(
        &self,
        context: &Context,
        id: AccountId,
    ) -> Result<(Versioned<Account>, Password), Error> {
        if context.principal.account() == Some(id.uuid()) {
            return Err(Rejection::OwnPassword.into());
        }
        let one_time = one_time_password::from_random(self.executor.env().random());
        // Known to fail: the hash is not worth computing.
        let mut account = self.get_account(id).await?;
        account.state.clone().reset_password(String::new(), self.now())?;
        let hash = self.passwords.hash(&asker(context, None), one_time.clone()).await?;
        for _ in 0..TRIES {
            let command = ResetPassword {
                account: id,
                roles: account.effective_roles().into_iter().collect(),
                sessions: account.sessions.clone(),
                held: held_by(&context.principal),
                hash: hash.clone(),
                settings: self.settings,
            };
            match self.executor.execute(context, command).await {
                Err(Error::Rejected(Rejection::Raced)) => {}
                settled => return settled.map(|account| (account, one_time)),
            }
            account = self.get_account(id).await?;
        }
        Err(Rejection::Raced.into())
    }

    /// The same for the member of staff with this address.
    pub async fn reset_password_of(
        &self,
        context: &Context,
        email: &Email,
    ) -> Result<Password, Error> {
        let found = self.store().by::<Account>("email", email.as_str()).await?;
        let found = found.filter(|account| account.kind == Kind::Staff);
        let id = AccountId::from_uuid(found.ok_or(Rejection::AccountNotFound)?.id);
        self.reset_password(context, id).await.map(|(_, password)| password)
    }
}

struct ResetPassword {
    account: AccountId,
    roles: Vec<RoleId>,
    sessions: Vec<SessionId>,
    held: PermissionSet,
    hash: String,
    settings: Settings,
}

impl Command for ResetPassword {
    type Reply = Versioned<Account>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Account>(self.account.uuid());
        for role in &self.roles {
            keys.add::<Role>(role.uuid());
        }
        for session in &self.sessions {
            keys.add::<Session>(session.uuid());
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        let id = self.account.uuid();
        let mut account = states.get::<Account>(id).cloned().ok_or(Rejection::AccountNotFound)?;
        for role in account.effective_roles() {
            if !self.roles.contains(&role) {
                return Err(Rejection::Raced.into());
            }
            if let Some(role) = states.get::<Role>(role.uuid()) {
                self.held.may_grant(&role.permissions)?;
            }
        }
        account.reset_password(self.hash.clone(), now)?;
        let (settings, declared) = (&self.settings, &self.sessions);
        let reason = Reason::PasswordChanged;
        sessions::revoke_all(states, settings, &mut account, declared, None, reason, now)?;
        states.put(id, account.clone());
        Ok(Versioned { id, version: states.version::<Account>(id), state: account })
    }
}
