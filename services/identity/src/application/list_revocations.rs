//! The sessions that were revoked lately, for the services that verify access tokens.

use std::time::Duration;

use kernel::Timestamp;
use platform::store::{Direction, Position, Query, Value};

use super::{Error, Identity};
use crate::domain::{Session, SessionId};

/// A commit may come this much later than the time it was decided at.
const OVERLAP: Duration = Duration::from_secs(10);
/// How many are answered at most; beyond, the caller asks on from `as_of`.
const MAX: usize = 10_000;
const PAGE: u32 = 500;

pub struct Revocations {
    /// Oldest first.
    pub sessions: Vec<SessionId>,
    /// Where to ask from next. Some sessions may be told twice, none is left out.
    pub as_of: Timestamp,
}

impl Identity {
    /// Sessions revoked at or after `since` whose access tokens may still be alive.
    pub async fn list_revocations(&self, since: Timestamp) -> Result<Revocations, Error> {
        let now = self.now();
        let oldest = now.minus(self.settings.customer_sessions.remember_revoked);
        let query = Query::new(PAGE)
            .ge("revoked_at", since.max(oldest))
            .order("revoked_at", Direction::Ascending);
        let mut sessions = Vec::new();
        let mut after: Option<Position> = None;
        loop {
            let query = match after.take() {
                Some(position) => query.clone().after(position),
                None => query.clone(),
            };
            let page = self.store().list::<Session>(query).await?;
            sessions.extend(page.iter().map(|session| SessionId::from_uuid(session.id)));
            let Some(last) = page.last().filter(|_| page.len() == PAGE as usize) else {
                return Ok(Revocations { sessions, as_of: now.minus(OVERLAP) });
            };
            if sessions.len() >= MAX {
                let as_of = last.revoked_at().unwrap_or(now);
                return Ok(Revocations { sessions, as_of });
            }
            after = Some(Position { value: Value::from(last.revoked_at()), id: last.id });
        }
    }
}
