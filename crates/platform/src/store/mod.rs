//! The aggregate document store: a table per aggregate type, `id, version, seq, <declared
//! columns>, state`, and beside it the outbox, the inbox and the idempotency records, all of one
//! service and written in one transaction.
//!
//! Writes go through the [`crate::executor`] only. Reads are `get`, `by` a unique column and a
//! key-paged `list`; what needs more is a projection. No shop word, and no SQL outside an engine.

mod aggregate;
pub(crate) mod cache;
mod engine;
mod error;
mod fresh;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
mod query;
pub mod sqlite;
#[cfg(feature = "postgres")]
pub mod transfer;
mod value;

use std::ops::Deref;
use std::sync::Arc;

use kernel::id::Uuid;

pub use aggregate::{Aggregate, AggregateType, Column, Migration, Schema};
pub use engine::{
    Applied, Change, Decide, Engine, EngineError, FORGET, Holding, IdempotencyRow, InboxMove,
    Lease, Loaded, MemoryProjection, Parked, RawRow, ReadSet, RowWrite, SavedWrite, Sharing, State,
    Waiting, WriteSet,
};
pub use error::StoreError;
pub use fresh::UntilCommit;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresProjection, PostgresReader};
pub use query::{Condition, Direction, Op, Position, Query};
pub use sqlite::{SqliteProjection, SqliteReader};
pub use value::Value;

use cache::{Remembered, StateCache};

use crate::event::Envelope;
use crate::idempotency::{IdempotencyKey, Lookup};

/// An aggregate as it was read, with the version that serves as its `ETag`.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<A> {
    pub id: Uuid,
    /// 1 when created, one more with each command that changes it.
    pub version: u64,
    pub state: A,
}

impl<A> Deref for Versioned<A> {
    type Target = A;
    fn deref(&self) -> &A {
        &self.state
    }
}

/// The read side of a service's store. Reads see committed state only, and what this process
/// committed before the read began. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
    cache: Option<Arc<StateCache>>,
}

/// How much of lately used states a service keeps in memory, in bytes.
const REMEMBERED: u64 = 8 << 20;
/// Reads of more rows than this are not worth remembering: they would push out what is.
pub(crate) const FILL: usize = 64;

impl Store {
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        let cache = engine.sharing().is_none().then(|| Arc::new(StateCache::new(REMEMBERED)));
        Self { engine, cache }
    }

    /// May other processes write here too? Then nothing that was read holds for longer than the
    /// request that read it.
    pub fn is_shared(&self) -> bool {
        self.engine.sharing().is_some()
    }

    pub(crate) fn cache(&self) -> Option<&Arc<StateCache>> {
        self.cache.as_ref()
    }

    pub async fn get<A: Aggregate>(&self, id: Uuid) -> Result<Option<Versioned<A>>, StoreError> {
        Ok(self.get_many::<A>(&[id]).await?.pop())
    }

    /// In the order of `ids`; those that do not exist are left out.
    pub async fn get_many<A: Aggregate>(
        &self,
        ids: &[Uuid],
    ) -> Result<Vec<Versioned<A>>, StoreError> {
        let Some(cache) = &self.cache else {
            return self.engine.get(A::TABLE, ids).await?.into_iter().map(parse::<A>).collect();
        };
        let known: Vec<_> = ids.iter().map(|id| cache.get(A::TABLE, *id)).collect();
        let missing = ids.iter().zip(&known).filter(|(_, known)| known.is_none());
        let missing: Vec<Uuid> = missing.map(|(id, _)| *id).collect();
        let commits = cache.commits();
        let mut read = Vec::new().into_iter();
        if !missing.is_empty() {
            read = self.engine.get(A::TABLE, &missing).await?.into_iter();
        }
        let mut next = read.next();
        let mut found = Vec::with_capacity(ids.len());
        for (id, known) in ids.iter().zip(known) {
            if let Some(known) = known {
                found.extend(versioned::<A>(*id, &known));
                continue;
            }
            let Some(row) = next.take_if(|row| row.id == *id) else { continue };
            next = read.next();
            let row = Remembered::parse(&AggregateType::of::<A>(), &row);
            let row = row.map_err(StoreError::Corrupt)?;
            found.extend(versioned::<A>(*id, &row));
            if missing.len() <= FILL {
                cache.fill(commits, A::TABLE, *id, row);
            }
        }
        Ok(found)
    }

    /// By a unique column.
    pub async fn by<A: Aggregate>(
        &self,
        column: &'static str,
        value: impl Into<Value>,
    ) -> Result<Option<Versioned<A>>, StoreError> {
        let rows = self.engine.list(A::TABLE, &Query::new(1).eq(column, value)).await?;
        rows.into_iter().next().map(parse::<A>).transpose()
    }

    pub async fn list<A: Aggregate>(&self, query: Query) -> Result<Vec<Versioned<A>>, StoreError> {
        self.engine.list(A::TABLE, &query).await?.into_iter().map(parse::<A>).collect()
    }

    /// What an earlier request with this key left behind.
    pub async fn saved_response(&self, key: &IdempotencyKey) -> Result<Lookup, StoreError> {
        let row = self.engine.idempotency(key).await?;
        Ok(row.map_or(Lookup::New, |row| row.lookup(key)))
    }

    /// Up to `limit` events that wait to be delivered, in the order of their commits.
    pub async fn outbox(&self, limit: u32) -> Result<Vec<Envelope>, StoreError> {
        let waiting = self.engine.outbox(0, limit).await?;
        Ok(waiting.into_iter().map(|waiting| Arc::unwrap_or_clone(waiting.envelope)).collect())
    }

    pub(crate) fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// Parked events of a consumer (of all when `None`), by key and version.
    pub async fn parked(&self, consumer: Option<&str>) -> Result<Vec<Parked>, StoreError> {
        Ok(self.engine.parked(consumer).await?)
    }

    /// For projections' queries; `None` on another engine.
    pub fn sqlite_reader(&self) -> Option<SqliteReader> {
        self.engine.sqlite_reader()
    }

    /// For projections' queries; `None` on another engine.
    #[cfg(feature = "postgres")]
    pub fn postgres_reader(&self) -> Option<PostgresReader> {
        self.engine.postgres_reader()
    }
}

fn versioned<A: Aggregate>(id: Uuid, row: &Remembered) -> Option<Versioned<A>> {
    let state = row.state.downcast_ref::<A>()?.clone();
    Some(Versioned { id, version: row.version, state })
}

fn parse<A: Aggregate>(row: RawRow) -> Result<Versioned<A>, StoreError> {
    let state = serde_json::from_str(&row.state).map_err(|error| {
        StoreError::Corrupt(format!("{} {} cannot be read: {error}", A::TABLE, row.id))
    })?;
    Ok(Versioned { id: row.id, version: row.version, state })
}
