//! Removes sessions that ended: expired ones at once, revoked ones when no token of theirs lives.

use kernel::Timestamp;
use kernel::id::Uuid;
use platform::context::Context;
use platform::executor::{Command, Keys, States};
use platform::store::Query;

use super::{Error, Identity};
use crate::domain::Session;

const PAGE: u32 = 200;
/// Pages in one go; the rest waits for the next one.
const PAGES: usize = 20;

impl Identity {
    pub async fn forget_sessions(&self, context: &Context) -> Result<(), Error> {
        for _ in 0..PAGES {
            let query = Query::new(PAGE).lt("ends_at", self.now());
            let ended = self.store().list::<Session>(query).await?;
            let sessions: Vec<Uuid> = ended.iter().map(|session| session.id).collect();
            let last_page = sessions.len() < PAGE as usize;
            if !sessions.is_empty() {
                self.executor.execute(context, ForgetSessions { sessions }).await?;
            }
            if last_page {
                break;
            }
        }
        Ok(())
    }
}

struct ForgetSessions {
    sessions: Vec<Uuid>,
}

impl Command for ForgetSessions {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        for session in &self.sessions {
            keys.add::<Session>(*session);
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        for session in &self.sessions {
            // Decided again here: it may have been refreshed since it was listed.
            if states.get::<Session>(*session).is_some_and(|session| session.ends_at < now) {
                states.delete::<Session>(*session);
            }
        }
        Ok(())
    }
}
