//! Ending sessions: by signing out, or by picking one from the list.

use kernel::Timestamp;
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;

use super::{Error, Identity, Settings, sessions, signed_in};
use crate::domain::{AccountId, Reason, RefreshToken, Rejection, Session, SessionId, TokenHash};

impl Identity {
    /// Ends the session of a refresh token. Doing it again does nothing; a token that was never
    /// issued, or is not current, does nothing either.
    pub async fn sign_out(&self, context: &Context, presented: &str) -> Result<(), Error> {
        let ring = self.ring(context).await?;
        let Some(token) = RefreshToken::parse(&ring.secret, presented) else {
            return Ok(());
        };
        let owner = Owner::Token(token.hash());
        self.end(context, None, token.session(), owner).await
    }

    /// Ends one of the caller's sessions. Somebody else's is as unknown as none.
    pub async fn end_session(
        &self,
        context: &Context,
        once: Option<Idempotent<()>>,
        session: SessionId,
    ) -> Result<(), Error> {
        let owner = Owner::Account(signed_in(context)?);
        self.end(context, once, session, owner).await
    }

    async fn end(
        &self,
        context: &Context,
        once: Option<Idempotent<()>>,
        session: SessionId,
        owner: Owner,
    ) -> Result<(), Error> {
        let command = EndSession { session, owner, settings: self.settings };
        self.executor.execute_once(context, once, command).await
    }
}

/// Who may end it.
enum Owner {
    Account(AccountId),
    Token(TokenHash),
}

struct EndSession {
    session: SessionId,
    owner: Owner,
    settings: Settings,
}

impl Command for EndSession {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Session>(self.session.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        let owned = states.get::<Session>(self.session.uuid()).is_some_and(|session| {
            session.is_live(now)
                && match &self.owner {
                    Owner::Account(account) => session.account == *account,
                    Owner::Token(hash) => session.owns(hash),
                }
        });
        match &self.owner {
            _ if owned => {
                sessions::revoke(states, &self.settings, self.session, Reason::Logout, now);
                Ok(())
            }
            Owner::Account(_) => Err(Rejection::SessionNotFound.into()),
            Owner::Token(_) => Ok(()),
        }
    }
}
