//! One batch: load, decide, write.
//!
//! Usually that is two statements: one reads, one writes and is a transaction of its own. It fails
//! where what was read has changed, and then the batch is decided again behind locks, so that it
//! ends however many want the same rows. No lock waits for this process: one that is stopped between
//! the two statements holds nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgRow;
use sqlx::{Connection as _, PgConnection, Row as _};

use super::connection::{Lease, Purpose};
use super::load::{Seen, load};
use super::refusal::{is_lost, refused, unavailable, uncommitted};
use super::script::TOO_FEW;
use super::write::{self, Wanted};
use super::{PostgresProjection, Shared};
use crate::store::engine::{Applied, Change, Decide, EngineError, Loaded, ReadSet, WriteSet};

/// Until something is decided a dead connection costs nothing but another try.
const TRIES: u32 = 3;
/// So many batches lock what they read after one that met a change: others are at work on the same
/// rows, and to wait for them is cheaper than to decide twice.
const CAUTIOUS: u32 = 64;

/// How many of the next batches lock what they read.
#[derive(Default)]
pub(super) struct Caution(AtomicU32);

impl Caution {
    fn take(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    fn raise(&self) {
        self.0.store(CAUTIOUS, Ordering::Relaxed);
    }
}

pub(super) enum Fault {
    Sql(sqlx::Error),
    Engine(EngineError),
}

pub(super) async fn run(
    shared: &Shared,
    projections: &[Arc<dyn PostgresProjection>],
    reads: &ReadSet,
    decide: Decide,
) -> Result<Applied, EngineError> {
    let locked = shared.caution.take() || reads.contended;
    let (lease, loaded) = begin(shared, reads, locked).await?;
    let mut work = Work { shared, lease, open: locked, statements: 1 + u64::from(locked) };
    let seen = Seen::of(reads, &loaded);
    // Decisions are caught one by one; this is for what is common to a batch.
    let decided = catch_unwind(AssertUnwindSafe(|| decide(loaded)));
    let outcome = match decided {
        Ok(writes) if writes.is_empty() => Ok(None),
        Ok(writes) => work.write(&writes, seen, projections).await.map(Some),
        Err(_) => Err(EngineError::Constraint("deciding a batch panicked".to_owned())),
    };
    if outcome == Err(EngineError::Changed) {
        shared.caution.raise();
    }
    work.end(outcome).await
}

/// A connection and what was loaded there; inside a transaction where it is to stay so.
async fn begin<'a>(
    shared: &'a Shared,
    reads: &ReadSet,
    locked: bool,
) -> Result<(Lease<'a>, Loaded), EngineError> {
    let mut left = TRIES;
    loop {
        left -= 1;
        let mut lease = shared.connections.take(Purpose::Batch).await?;
        let loaded = async {
            let connection = &mut lease.connection;
            if locked {
                open(connection).await.map_err(Fault::Sql)?;
            } else if reads.is_empty() {
                // Nothing else tells a dead connection before something is decided.
                connection.ping().await.map_err(Fault::Sql)?;
            }
            load(&shared.layout, connection, reads, locked).await
        };
        match loaded.await {
            Ok(loaded) => return Ok((lease, loaded)),
            Err(Fault::Sql(error)) if is_lost(&error) && left > 0 => {
                shared.connections.forget_idle();
            }
            // The connection is closed with its transaction.
            Err(Fault::Sql(error)) => return Err(refused(&shared.layout, &error)),
            Err(Fault::Engine(error)) => return Err(error),
        }
    }
}

async fn open(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::raw_sql("BEGIN").execute(connection).await.map(drop)
}

/// A batch that is written.
struct Work<'a> {
    shared: &'a Shared,
    lease: Lease<'a>,
    /// In a transaction that has to be ended.
    open: bool,
    statements: u64,
}

impl Work<'_> {
    async fn write(
        &mut self,
        writes: &WriteSet,
        seen: Seen,
        projections: &[Arc<dyn PostgresProjection>],
    ) -> Result<Applied, EngineError> {
        let layout = &self.shared.layout;
        // Behind locks nothing changes, and what is only read need not be looked at again.
        let (script, wanted) = write::script(layout, writes, &seen, !self.open)?;
        let changes: Vec<Change<'_>> = writes.rows.iter().map(Change::of).collect();
        let follow = |p: &&Arc<dyn PostgresProjection>| changes.iter().any(|c| p.follows(c.table));
        let following: Vec<_> = projections.iter().filter(follow).collect();
        let connection = &mut self.lease.connection;
        if !following.is_empty() && !self.open {
            open(connection).await.map_err(|error| unavailable(&error))?;
            (self.open, self.statements) = (true, self.statements + 1);
        }
        self.statements += 1;
        let answer = script.run(connection).await.map_err(|error| {
            let too_few = |database: &dyn sqlx::error::DatabaseError| {
                database.code().is_some_and(|code| code == TOO_FEW)
            };
            if error.as_database_error().is_some_and(too_few) {
                EngineError::Changed
            } else {
                refused(layout, &error)
            }
        })?;
        for projection in following {
            let outcome = projection.apply(connection, &changes).await;
            outcome.map_err(|error| refused(layout, &error))?;
        }
        applied(&answer, &wanted).map_err(|error| unavailable(&error))
    }

    async fn end(mut self, outcome: Result<Option<Applied>, EngineError>) -> Outcome {
        let service = self.shared.service;
        let ended = match outcome {
            Ok(Some(applied)) if self.open => {
                self.statements += 1;
                let commit = sqlx::raw_sql("COMMIT").execute(&mut self.lease.connection).await;
                commit.map_err(|error| uncommitted(&error))?;
                self.lease.give_back();
                Ok(Some(applied))
            }
            outcome if self.open => {
                self.statements += 1;
                // Closed instead of given back when not even that works.
                let rollback = sqlx::raw_sql("ROLLBACK").execute(&mut self.lease.connection).await;
                if rollback.is_ok() {
                    self.lease.give_back();
                }
                outcome
            }
            Err(EngineError::Unavailable(text)) => Err(EngineError::Unavailable(text)),
            outcome => {
                self.lease.give_back();
                outcome
            }
        };
        metrics::counter!("mercat_store_statements_total", "service" => service)
            .increment(self.statements);
        if matches!(ended, Ok(Some(_))) {
            metrics::counter!("mercat_store_commits_total", "service" => service).increment(1);
        }
        ended.map(Option::unwrap_or_default)
    }
}

type Outcome = Result<Applied, EngineError>;

/// Behind the check: what the batch wanted to know.
fn applied(answer: &[PgRow], wanted: &Wanted) -> sqlx::Result<Applied> {
    let mut applied = Applied::default();
    let Some(row) = answer.first() else { return Ok(applied) };
    if let Some(column) = wanted.places {
        applied.places = row.try_get(column)?;
        applied.places.sort_unstable();
    }
    if let Some(column) = wanted.forgotten {
        applied.forgotten = u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(u32::MAX);
    }
    Ok(applied)
}

pub(super) fn each<'r, R, T>(rows: &'r [R], of: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
