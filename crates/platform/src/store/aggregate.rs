//! What a service declares: its aggregates, their columns, its migrations and projections.

use std::any::Any;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::engine::{MemoryProjection, State};
#[cfg(feature = "postgres")]
use super::postgres::PostgresProjection;
use super::sqlite::SqliteProjection;
use super::value::Value;

/// A column that is looked up, sorted by or constrained. Its SQL type stands in the migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub unique: bool,
}

impl Column {
    pub const fn plain(name: &'static str) -> Self {
        Self { name, unique: false }
    }

    /// Null is never equal to null.
    pub const fn unique(name: &'static str) -> Self {
        Self { name, unique: true }
    }
}

/// A unit of consistency, stored as one row.
pub trait Aggregate: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The table, and the aggregate type in events.
    const TABLE: &'static str;
    const COLUMNS: &'static [Column];
    /// The values of the declared columns, in their order.
    fn columns(&self) -> Vec<Value>;
}

/// The values of the declared columns, and the state as JSON.
pub(crate) type Encoded = (Vec<Value>, String);

/// An [`Aggregate`] with its type erased: how to read, write and index it.
#[derive(Clone, Copy)]
pub struct AggregateType {
    pub table: &'static str,
    pub columns: &'static [Column],
    pub(crate) parse: fn(&str) -> Result<State, serde_json::Error>,
    pub(crate) encode: fn(&State) -> Result<Encoded, String>,
    /// The values of the declared columns alone.
    pub(crate) values: fn(&State) -> Vec<Value>,
}

impl AggregateType {
    pub fn of<A: Aggregate>() -> Self {
        Self {
            table: A::TABLE,
            columns: A::COLUMNS,
            parse: |text| Ok(Arc::new(serde_json::from_str::<A>(text)?)),
            encode: |state| {
                let any: &(dyn Any + Send + Sync) = state.as_ref();
                let aggregate = any.downcast_ref::<A>().ok_or("state of another type")?;
                let text = serde_json::to_string(aggregate).map_err(|error| error.to_string())?;
                Ok((aggregate.columns(), text))
            },
            values: |state| {
                let any: &(dyn Any + Send + Sync) = state.as_ref();
                any.downcast_ref::<A>().map(Aggregate::columns).unwrap_or_default()
            },
        }
    }
}

/// One step of a schema. Numbers count from 1 without gaps; a step once released never changes.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    pub number: u32,
    pub name: &'static str,
    pub sqlite: &'static str,
    /// `None`: this schema does not run on PostgreSQL.
    pub postgres: Option<&'static str>,
}

/// The engines' own tables, the same on each of them.
pub(crate) const ENGINE: &[Migration] = &[
    Migration {
        number: 1,
        name: "engine",
        sqlite: include_str!("../../migrations/sqlite/0001_engine.sql"),
        postgres: Some(include_str!("../../migrations/postgres/0001_engine.sql")),
    },
    Migration {
        number: 2,
        name: "relay",
        sqlite: include_str!("../../migrations/sqlite/0002_relay.sql"),
        postgres: Some(include_str!("../../migrations/postgres/0002_relay.sql")),
    },
];

/// All that an engine must know of a service.
#[derive(Clone)]
pub struct Schema {
    pub service: &'static str,
    pub migrations: &'static [Migration],
    pub aggregates: Vec<AggregateType>,
    pub sqlite_projections: Vec<Arc<dyn SqliteProjection>>,
    #[cfg(feature = "postgres")]
    pub postgres_projections: Vec<Arc<dyn PostgresProjection>>,
    pub memory_projections: Vec<Arc<dyn MemoryProjection>>,
}

impl Schema {
    pub fn new(service: &'static str, migrations: &'static [Migration]) -> Self {
        Self {
            service,
            migrations,
            aggregates: Vec::new(),
            sqlite_projections: Vec::new(),
            #[cfg(feature = "postgres")]
            postgres_projections: Vec::new(),
            memory_projections: Vec::new(),
        }
    }

    #[must_use]
    pub fn aggregate<A: Aggregate>(mut self) -> Self {
        self.aggregates.push(AggregateType::of::<A>());
        self
    }

    #[must_use]
    pub fn project_sqlite(mut self, projection: Arc<dyn SqliteProjection>) -> Self {
        self.sqlite_projections.push(projection);
        self
    }

    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn project_postgres(mut self, projection: Arc<dyn PostgresProjection>) -> Self {
        self.postgres_projections.push(projection);
        self
    }

    #[must_use]
    pub fn project_memory(mut self, projection: Arc<dyn MemoryProjection>) -> Self {
        self.memory_projections.push(projection);
        self
    }
}
