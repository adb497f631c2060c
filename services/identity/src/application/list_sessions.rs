//! The caller's own sessions.

use platform::context::Context;
use platform::store::Versioned;

use super::{Error, Identity};
use crate::domain::Session;

impl Identity {
    /// Those that are alive, oldest first; at most [`crate::domain::account::MAX_SESSIONS`].
    pub async fn list_sessions(&self, context: &Context) -> Result<Vec<Versioned<Session>>, Error> {
        let account = self.own_account(context).await?;
        self.live_sessions(&account).await
    }
}
