//! The PostgreSQL engine: for services that run on servers, several replicas of each if need be.
//!
//! A batch is two round trips, whatever its size: one statement reads what it touches, one writes
//! all that was decided and holds only if what was read is still so. Where it is not, others are at
//! work on the same rows, and the batch is decided again behind locks, in sorted key order. Nothing
//! is remembered between batches, because others write here too.

mod connection;
mod gather;
mod layout;
mod leases;
mod load;
mod migrate;
pub mod provision;
mod read;
mod records;
mod refusal;
mod rows;
mod script;
mod transaction;
mod write;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::id::Uuid;
use sqlx::PgConnection;

use super::aggregate::Schema;
use super::engine::{
    Applied, Change, Decide, Engine, EngineError, Holding, IdempotencyRow, Parked, RawRow, ReadSet,
    Sharing, Waiting,
};
use super::query::Query;
use crate::env::Env;
use crate::idempotency::IdempotencyKey;
use connection::Connections;
use layout::Layout;

pub use read::PostgresReader;
/// For projections and their queries: the version that the engine itself uses.
pub use sqlx;

/// Where the database is and how many connections may be used at once.
#[derive(Clone)]
pub struct Options {
    /// `postgres://role:password@host:port/database?sslmode=verify-full`.
    pub url: String,
    /// For batches. Each executor needs one; the rest waits for its turn.
    pub writers: u32,
    /// For reads beside them.
    pub readers: u32,
}

impl Options {
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), writers: 4, readers: 8 }
    }
}

/// Why a database cannot be worked with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another try may end otherwise: the server is starting, or away.
    #[error("{0}")]
    Away(String),
    /// No other try will: the address, the password, or a database that is not for this binary.
    #[error("{0}")]
    Refused(String),
}

impl From<EngineError> for OpenError {
    fn from(error: EngineError) -> Self {
        Self::Away(error.to_string())
    }
}

impl From<OpenError> for EngineError {
    fn from(error: OpenError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Own tables of a service, filled in the transaction of the change.
#[async_trait]
pub trait PostgresProjection: Send + Sync {
    /// Batches that change nothing in a table that is not followed go without the projection.
    fn follows(&self, table: &str) -> bool {
        let _ = table;
        true
    }

    /// An error rolls the batch back.
    async fn apply(&self, tx: &mut PgConnection, changes: &[Change<'_>]) -> sqlx::Result<()>;
}

/// How long a batch may take with all that it waits for, before its outcome counts as unknown.
const BATCH_LIMIT: Duration = Duration::from_secs(20);

/// What writes and reads share.
struct Shared {
    service: &'static str,
    env: Env,
    connections: Connections,
    layout: Layout,
    standing: leases::Standing,
    caution: transaction::Caution,
    gathered: gather::Gathered,
}

pub struct PostgresEngine {
    shared: Arc<Shared>,
    reader: PostgresReader,
    projections: Vec<Arc<dyn PostgresProjection>>,
}

impl PostgresEngine {
    /// Connects, and applies outstanding migrations. The database must exist.
    pub async fn open(env: &Env, schema: &Schema, options: &Options) -> Result<Self, OpenError> {
        let connections = Connections::new(env.clone(), schema.service, options)?;
        let mut connection = connections.reach().await?;
        migrate::run(&mut connection, schema).await?;
        let layout = Layout::read(&mut connection, schema).await?;
        // The lock of the migrations ends with this connection.
        drop(connection);
        let shared = Shared {
            service: schema.service,
            env: env.clone(),
            connections,
            layout,
            standing: leases::Standing::default(),
            caution: transaction::Caution::default(),
            gathered: gather::Gathered::default(),
        };
        let shared = Arc::new(shared);
        let reader = PostgresReader::new(shared.clone());
        Ok(Self { shared, reader, projections: schema.postgres_projections.clone() })
    }

    pub async fn shared(
        env: &Env,
        schema: &Schema,
        options: &Options,
    ) -> Result<Arc<dyn Engine>, OpenError> {
        Ok(Arc::new(Self::open(env, schema, options).await?))
    }
}

#[async_trait]
impl Engine for PostgresEngine {
    async fn transact(&self, reads: ReadSet, decide: Decide) -> Result<Applied, EngineError> {
        let batch = transaction::run(&self.shared, &self.projections, &reads, decide);
        let outcome = self.shared.env.timeout(BATCH_LIMIT, batch).await;
        outcome.unwrap_or_else(|| {
            Err(EngineError::Unavailable("postgres: no answer in time".to_owned()))
        })
    }

    fn sharing(&self) -> Option<&dyn Sharing> {
        Some(self)
    }

    async fn get(&self, table: &'static str, ids: &[Uuid]) -> Result<Vec<RawRow>, EngineError> {
        gather::get(&self.shared, table, ids).await
    }

    async fn list(&self, table: &'static str, query: &Query) -> Result<Vec<RawRow>, EngineError> {
        self.reader.list(table, query).await
    }

    async fn idempotency(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRow>, EngineError> {
        self.reader.idempotency(key).await
    }

    async fn outbox(&self, after: i64, limit: u32) -> Result<Vec<Waiting>, EngineError> {
        self.reader.outbox(after, limit).await
    }

    async fn outbox_first(&self, aggregate: Uuid) -> Result<Option<u64>, EngineError> {
        self.reader.outbox_first(aggregate).await
    }

    async fn inbox_version(&self, consumer: &str, aggregate: Uuid) -> Result<u64, EngineError> {
        self.reader.inbox_version(consumer, aggregate).await
    }

    async fn is_parked(&self, consumer: &str, aggregate: Uuid) -> Result<bool, EngineError> {
        self.reader.is_parked(consumer, aggregate).await
    }

    async fn parked(&self, consumer: Option<&str>) -> Result<Vec<Parked>, EngineError> {
        self.reader.parked(consumer).await
    }

    fn postgres_reader(&self) -> Option<PostgresReader> {
        Some(self.reader.clone())
    }
}

#[async_trait]
impl Sharing for PostgresEngine {
    async fn lease(&self, owner: Uuid, life: Duration) -> Result<Holding, EngineError> {
        leases::renew(&self.shared, owner, life).await
    }

    async fn release(&self, owner: Uuid) -> Result<(), EngineError> {
        leases::release(&self.shared, owner).await
    }

    async fn unsent(
        &self,
        shards: &[u32],
        besides: &[i64],
        limit: u32,
    ) -> Result<Vec<Waiting>, EngineError> {
        self.reader.unsent(shards, besides, limit).await
    }
}
