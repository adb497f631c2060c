//! What a database must be able to do for us.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::Timestamp;
use kernel::id::Uuid;

use super::aggregate::{Aggregate, AggregateType};
use super::error::StoreError;
#[cfg(feature = "postgres")]
use super::postgres::PostgresReader;
use super::query::Query;
use super::sqlite::SqliteReader;
use super::value::Value;
use crate::event::Envelope;
use crate::idempotency::{IdempotencyKey, Lookup, SavedResponse};

/// An aggregate with its type erased.
pub type State = Arc<dyn Any + Send + Sync>;

/// What a batch is about to touch, each list sorted and without duplicates.
#[derive(Default)]
pub struct ReadSet {
    pub aggregates: Vec<(&'static str, Uuid)>,
    /// Consumer and aggregate.
    pub inbox: Vec<(&'static str, Uuid)>,
    pub idempotency: Vec<IdempotencyKey>,
    /// The batch was decided before, and what it had read changed meanwhile: now nobody else may
    /// come in between.
    pub contended: bool,
}

impl ReadSet {
    pub fn is_empty(&self) -> bool {
        self.aggregates.is_empty() && self.inbox.is_empty() && self.idempotency.is_empty()
    }
}

/// What was there.
#[derive(Default)]
pub struct Loaded {
    pub aggregates: HashMap<(&'static str, Uuid), RawRow>,
    /// The last version that the consumer has applied.
    pub inbox: HashMap<(&'static str, Uuid), u64>,
    /// By position in [`ReadSet::idempotency`].
    pub idempotency: Vec<Option<IdempotencyRow>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RawRow {
    pub id: Uuid,
    pub version: u64,
    /// How many events the aggregate has emitted.
    pub seq: u64,
    pub state: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IdempotencyRow {
    pub fingerprint: String,
    /// `None` while the request runs.
    pub response: Option<SavedResponse>,
}

impl IdempotencyRow {
    pub fn lookup(self, key: &IdempotencyKey) -> Lookup {
        if self.fingerprint == key.fingerprint || crate::bug::is("ignore-body-hash") {
            self.response.map_or(Lookup::Running, Lookup::Saved)
        } else {
            Lookup::Mismatch
        }
    }
}

/// What a batch decided; applied whole or not at all.
#[derive(Default)]
pub struct WriteSet {
    pub rows: Vec<RowWrite>,
    pub outbox: Vec<Arc<Envelope>>,
    /// Delivered events, by their place in the outbox.
    pub outbox_done: Vec<i64>,
    pub inbox: Vec<InboxMove>,
    pub idempotency: Vec<SavedWrite>,
    /// Forgets [`FORGET`] answers at most that were given before.
    pub idempotency_before: Option<Timestamp>,
    pub park: Vec<Parked>,
    /// Consumer and event.
    pub unpark: Vec<(String, Uuid)>,
}

impl WriteSet {
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.outbox.is_empty()
            && self.outbox_done.is_empty()
            && self.inbox.is_empty()
            && self.idempotency.is_empty()
            && self.idempotency_before.is_none()
            && self.park.is_empty()
            && self.unpark.is_empty()
    }
}

/// How many old answers one batch forgets: nobody waits long behind it.
pub const FORGET: u32 = 500;

/// What the database added to a batch that was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The place of each event of [`WriteSet::outbox`]. Places grow in the order of commits; where
    /// several processes write, only those of one aggregate do.
    pub places: Vec<i64>,
    /// Answers that were forgotten.
    pub forgotten: u32,
}

/// An event that waits in the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    pub place: i64,
    pub envelope: Arc<Envelope>,
}

#[cfg(test)]
impl Waiting {
    /// The event of this version, of a thing that tests of the outbox and the bus speak of.
    pub(crate) fn of_a_thing(place: i64, version: u64) -> Self {
        let envelope = Envelope {
            id: Uuid::from_u128(u128::from(version)),
            event_type: "test.Happened.v1".to_owned(),
            source: "test".to_owned(),
            aggregate_type: "thing".to_owned(),
            aggregate_id: Uuid::from_u128(2),
            aggregate_version: version,
            time: kernel::Timestamp::EPOCH,
            correlation: "".into(),
            causation: None,
            traceparent: None,
            data: Vec::new(),
            passed_over: 0,
        };
        Self { place, envelope: Arc::new(envelope) }
    }
}

pub struct RowWrite {
    pub aggregate: AggregateType,
    pub id: Uuid,
    /// The version that was loaded; 0 when there was no row.
    pub expected: u64,
    pub version: u64,
    pub seq: u64,
    pub columns: Vec<Value>,
    /// Where `columns` differs from what was loaded: the rest, with its indexes, need not be
    /// written again. `None` when that is not known, or nothing was loaded.
    pub changed: Option<Vec<usize>>,
    /// `None` deletes the row.
    pub state: Option<(State, String)>,
}

pub struct InboxMove {
    pub consumer: &'static str,
    pub aggregate_id: Uuid,
    pub version: u64,
    pub event_id: Uuid,
}

pub struct SavedWrite {
    pub key: IdempotencyKey,
    pub response: Option<SavedResponse>,
    pub at: Timestamp,
}

/// An event that a consumer could not digest, and those of its key that wait behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parked {
    pub consumer: String,
    pub envelope: Envelope,
    pub error: String,
    pub attempts: u32,
    pub parked_at: Timestamp,
}

/// A change that was just applied, for projections.
pub struct Change<'a> {
    pub table: &'static str,
    pub id: Uuid,
    pub version: u64,
    /// `None` when deleted.
    pub state: Option<&'a (dyn Any + Send + Sync)>,
}

impl Change<'_> {
    /// The aggregate, if it is an `A` and was not deleted.
    pub fn state_of<A: Aggregate>(&self) -> Option<&A> {
        self.state?.downcast_ref::<A>()
    }

    pub(crate) fn of(row: &RowWrite) -> Change<'_> {
        let state = row.state.as_ref().map(|(state, _)| state.as_ref());
        Change { table: row.aggregate.table, id: row.id, version: row.version, state }
    }
}

/// A projection on the memory engine; called under the engine's lock, after each batch.
pub trait MemoryProjection: Send + Sync {
    fn apply(&self, changes: &[Change<'_>]);
}

/// Called once, inside the transaction, with what was loaded.
pub type Decide = Box<dyn FnOnce(Loaded) -> WriteSet + Send>;

/// Why a batch was refused. Nothing of it was applied, except perhaps with `Unavailable`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EngineError {
    #[error("{table}.{column} must be unique")]
    Unique { table: String, column: String },
    #[error("a constraint of the schema was broken: {0}")]
    Constraint(String),
    /// Somebody else changed a row in between; load and decide again.
    #[error("a row changed meanwhile")]
    Changed,
    #[error("{0}")]
    Unavailable(String),
}

impl From<EngineError> for StoreError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Unique { table, column } => Self::Unique { table, column },
            EngineError::Constraint(text) => Self::Corrupt(text),
            EngineError::Changed => Self::Unavailable("too much contention on a row".to_owned()),
            EngineError::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

/// A right to publish the events of one shard, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease {
    pub shard: u32,
    /// Grows with each new owner.
    pub epoch: u64,
}

/// What a process holds of the outbox that it shares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// By shard.
    pub leases: Vec<Lease>,
    /// How many processes hold or want some, this one included.
    pub members: u32,
}

/// What several processes on one database need of it. Shards are those of
/// [`crate::event::partition_of`] over [`crate::event::PARTITIONS`].
#[async_trait]
pub trait Sharing: Send + Sync {
    /// Renews what `owner` holds for `life` from now on the database's clock, takes what is free up
    /// to its fair share, and gives back what is more than that. Whoever is not renewed in time
    /// loses all.
    async fn lease(&self, owner: Uuid, life: Duration) -> Result<Holding, EngineError>;
    /// Gives everything back.
    async fn release(&self, owner: Uuid) -> Result<(), EngineError>;
    /// Waiting events of these shards besides those at the places `besides`; of each aggregate all
    /// that is committed, or the least versions of it. In the order of their places.
    async fn unsent(
        &self,
        shards: &[u32],
        besides: &[i64],
        limit: u32,
    ) -> Result<Vec<Waiting>, EngineError>;
}

/// A database under one service. All engines pass the same contract suite.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Loads `reads`, calls `decide`, applies what it returns, commits. Returns once the commit is
    /// durable; [`EngineError::Changed`] where somebody else changed what was loaded.
    async fn transact(&self, reads: ReadSet, decide: Decide) -> Result<Applied, EngineError>;
    /// How processes share this database. `None`: nobody but this process writes here, and only
    /// then may states be remembered between batches.
    fn sharing(&self) -> Option<&dyn Sharing>;
    async fn get(&self, table: &'static str, ids: &[Uuid]) -> Result<Vec<RawRow>, EngineError>;
    async fn list(&self, table: &'static str, query: &Query) -> Result<Vec<RawRow>, EngineError>;
    async fn idempotency(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRow>, EngineError>;
    /// Waiting events behind the place `after`, in the order of their commits.
    async fn outbox(&self, after: i64, limit: u32) -> Result<Vec<Waiting>, EngineError>;
    /// The least version of an event of this aggregate that waits.
    async fn outbox_first(&self, aggregate: Uuid) -> Result<Option<u64>, EngineError>;
    /// The last version of this aggregate's events that the consumer has behind it; zero when none.
    async fn inbox_version(&self, consumer: &str, aggregate: Uuid) -> Result<u64, EngineError>;
    /// Does the consumer have parked events of this aggregate?
    async fn is_parked(&self, consumer: &str, aggregate: Uuid) -> Result<bool, EngineError>;
    async fn parked(&self, consumer: Option<&str>) -> Result<Vec<Parked>, EngineError>;
    fn sqlite_reader(&self) -> Option<SqliteReader> {
        None
    }
    #[cfg(feature = "postgres")]
    fn postgres_reader(&self) -> Option<PostgresReader> {
        None
    }
}
