//! A refresh token is exchanged for its successor and a new access token.

use kernel::Timestamp;
use platform::context::Context;
use platform::executor::{Command, Keys, States};

use super::{Error, Identity, Settings, SignedIn, sessions};
use crate::domain::{
    Account, AccountId, Reason, RefreshToken, Rejection, Rotation, Session, SessionId, TokenHash,
};

impl Identity {
    pub async fn refresh_session(
        &self,
        context: &Context,
        presented: &str,
    ) -> Result<SignedIn, Error> {
        let ring = self.ring(context).await?;
        let refused = Rejection::InvalidRefreshToken;
        let presented = RefreshToken::parse(&ring.secret, presented).ok_or(refused.clone())?;
        let id = presented.session();
        let session = self.store().get::<Session>(id.uuid()).await?.ok_or(refused.clone())?;
        let successor = presented.successor(&ring.secret);
        let command = Rotate {
            session: id,
            account: session.account,
            presented: presented.hash(),
            successor: successor.hash(),
            settings: self.settings,
        };
        let Some(ends_at) = self.executor.execute(context, command).await? else {
            return Err(refused.into());
        };
        let account = self.store().get::<Account>(session.account.uuid()).await?;
        let account = account.ok_or(refused.clone())?;
        let profile = account.active().map_err(|_| refused)?;
        let subject = self.subject(session.account, account.kind, profile).await?;
        self.tokens_for(context, subject, &successor, ends_at).await
    }
}

struct Rotate {
    session: SessionId,
    account: AccountId,
    presented: TokenHash,
    successor: TokenHash,
    settings: Settings,
}

impl Command for Rotate {
    /// When the session ends; `None` when the token was refused. A refusal may end the session, so
    /// it is an answer and not an error, which would undo that.
    type Reply = Option<Timestamp>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Session>(self.session.uuid());
        keys.add::<Account>(self.account.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        let account = states.get::<Account>(self.account.uuid());
        let life = self.settings.one_time_password_life;
        let may_act = account.is_some_and(|account| account.check_one_time(life, now).is_ok());
        let Some(session) = states.get::<Session>(self.session.uuid()) else {
            return Ok(None);
        };
        if !may_act {
            return Ok(None);
        }
        let mut session = session.clone();
        let lifetimes = self.settings.lifetimes(session.kind);
        let rotation = session.rotate(&self.presented, self.successor.clone(), &lifetimes, now);
        let ends_at = session.ends_at;
        match rotation {
            Rotation::Rotated => {
                states.put(self.session.uuid(), session);
                Ok(Some(ends_at))
            }
            Rotation::Repeated => Ok(Some(ends_at)),
            Rotation::Reused => {
                sessions::announce(states, self.session, &session, Reason::Reuse);
                states.put(self.session.uuid(), session);
                Ok(None)
            }
            Rotation::Ended => Ok(None),
        }
    }
}
