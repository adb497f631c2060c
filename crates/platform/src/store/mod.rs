//! The aggregate document store: a table per aggregate type, `id, version, seq, <declared
//! columns>, state`, and beside it the outbox, the inbox and the idempotency records, all of one
//! service and written in one transaction.
//!
//! Writes go through the [`crate::executor`] only. Reads are `get`, `by` a unique column and a
//! key-paged `list`; what needs more is a projection. No shop word, and no SQL outside an engine.

mod aggregate;
mod engine;
mod error;
pub mod memory;
mod query;
pub mod sqlite;
mod value;

use std::ops::Deref;
use std::sync::Arc;

use kernel::id::Uuid;

pub use aggregate::{Aggregate, AggregateType, Column, Migration, Schema};
pub use engine::{
    Change, Decide, Engine, EngineError, IdempotencyRow, InboxMove, Loaded, MemoryProjection,
    Parked, RawRow, ReadSet, RowWrite, SavedWrite, State, WriteSet,
};
pub use error::StoreError;
pub use query::{Condition, Direction, Op, Position, Query};
pub use sqlite::{SqliteProjection, SqliteReader};
pub use value::Value;

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
}

impl Store {
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    pub async fn get<A: Aggregate>(&self, id: Uuid) -> Result<Option<Versioned<A>>, StoreError> {
        let rows = self.engine.get(A::TABLE, &[id]).await?;
        rows.into_iter().next().map(parse::<A>).transpose()
    }

    /// In the order of `ids`; those that do not exist are left out.
    pub async fn get_many<A: Aggregate>(
        &self,
        ids: &[Uuid],
    ) -> Result<Vec<Versioned<A>>, StoreError> {
        self.engine.get(A::TABLE, ids).await?.into_iter().map(parse::<A>).collect()
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

    /// Up to `limit` unpublished events, oldest first.
    pub async fn outbox(&self, limit: u32) -> Result<Vec<Envelope>, StoreError> {
        Ok(self.engine.outbox(limit).await?)
    }

    /// Parked events of a consumer (of all when `None`), by key and version.
    pub async fn parked(&self, consumer: Option<&str>) -> Result<Vec<Parked>, StoreError> {
        Ok(self.engine.parked(consumer).await?)
    }

    /// For projections' queries; `None` on another engine.
    pub fn sqlite_reader(&self) -> Option<SqliteReader> {
        self.engine.sqlite_reader()
    }
}

fn parse<A: Aggregate>(row: RawRow) -> Result<Versioned<A>, StoreError> {
    let state = serde_json::from_str(&row.state).map_err(|error| {
        StoreError::Corrupt(format!("{} {} cannot be read: {error}", A::TABLE, row.id))
    })?;
    Ok(Versioned { id: row.id, version: row.version, state })
}
