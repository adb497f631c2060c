//! The SQLite engine: one writer thread, readers beside it (WAL). A batch is one `BEGIN
//! IMMEDIATE … COMMIT` on the writer thread; with `synchronous=FULL` the commit is on the disk
//! before anybody is answered.
//!
//! Point reads run on the caller's thread: they take microseconds from the page cache, less than a
//! hop to another thread costs. Lists and projections' queries run on blocking threads.

mod abandon;
mod connection;
mod migrate;
mod read;
mod records;
mod write;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, mpsc};

use async_trait::async_trait;
use kernel::id::Uuid;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::aggregate::Schema;
use super::engine::{
    Applied, Change, Decide, Engine, EngineError, IdempotencyRow, Parked, RawRow, ReadSet, Sharing,
    Waiting,
};
use super::query::Query;
use crate::idempotency::IdempotencyKey;

pub use connection::Options;
pub use read::SqliteReader;

/// Own tables of a service, filled in the transaction of the change.
pub trait SqliteProjection: Send + Sync {
    /// An error rolls the batch back.
    fn apply(&self, tx: &Connection, changes: &[Change<'_>]) -> rusqlite::Result<()>;
}

pub struct SqliteEngine {
    writer: mpsc::Sender<Job>,
    reader: SqliteReader,
}

struct Job {
    reads: ReadSet,
    decide: Decide,
    done: oneshot::Sender<Result<Applied, EngineError>>,
}

impl SqliteEngine {
    /// Opens or creates the database at `path`, applies outstanding migrations and starts the
    /// writer thread, which ends when the engine is dropped.
    pub fn open(path: &Path, schema: &Schema, options: Options) -> Result<Self, EngineError> {
        let mut connection = connection::writer(path, options)?;
        migrate::run(&mut connection, schema)?;
        let reader = SqliteReader::open(path, schema, options)?;
        let (sender, receiver) = mpsc::channel::<Job>();
        let mut writer = write::Writer::new(connection, schema)?;
        std::thread::Builder::new()
            .name(format!("{}-writer", schema.service))
            .spawn(move || {
                while let Ok(job) = receiver.recv() {
                    let (reads, decide) = (job.reads, job.decide);
                    let work = AssertUnwindSafe(|| writer.transact(&reads, decide));
                    // A state that cannot be encoded or projected must not end this thread.
                    let outcome = catch_unwind(work).unwrap_or_else(|_| {
                        writer.abandon();
                        Err(EngineError::Constraint("applying a batch panicked".to_owned()))
                    });
                    // Whoever asked may be gone; the batch stands all the same.
                    let _ = job.done.send(outcome);
                }
            })
            .map_err(|error| EngineError::Unavailable(format!("no writer thread: {error}")))?;
        Ok(Self { writer: sender, reader })
    }

    pub fn shared(
        path: &Path,
        schema: &Schema,
        options: Options,
    ) -> Result<Arc<dyn Engine>, EngineError> {
        Ok(Arc::new(Self::open(path, schema, options)?))
    }
}

pub(crate) fn unavailable(error: &rusqlite::Error) -> EngineError {
    EngineError::Unavailable(format!("sqlite: {error}"))
}

#[async_trait]
impl Engine for SqliteEngine {
    async fn transact(&self, reads: ReadSet, decide: Decide) -> Result<Applied, EngineError> {
        let gone = || EngineError::Unavailable("the writer thread has ended".to_owned());
        let (done, outcome) = oneshot::channel();
        self.writer.send(Job { reads, decide, done }).map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }

    /// The data folder is locked by one process, and all its writes pass the one writer.
    fn sharing(&self) -> Option<&dyn Sharing> {
        None
    }

    async fn get(&self, table: &'static str, ids: &[Uuid]) -> Result<Vec<RawRow>, EngineError> {
        self.reader.get(table, ids)
    }

    async fn list(&self, table: &'static str, query: &Query) -> Result<Vec<RawRow>, EngineError> {
        self.reader.list(table, query).await
    }

    async fn idempotency(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRow>, EngineError> {
        self.reader.idempotency(key)
    }

    async fn outbox(&self, after: i64, limit: u32) -> Result<Vec<Waiting>, EngineError> {
        self.reader.outbox(after, limit).await
    }

    async fn outbox_first(&self, aggregate: Uuid) -> Result<Option<u64>, EngineError> {
        self.reader.outbox_first(aggregate).await
    }

    async fn inbox_version(&self, consumer: &str, aggregate: Uuid) -> Result<u64, EngineError> {
        self.reader.inbox_version(consumer, aggregate)
    }

    async fn is_parked(&self, consumer: &str, aggregate: Uuid) -> Result<bool, EngineError> {
        self.reader.is_parked(consumer, aggregate)
    }

    async fn parked(&self, consumer: Option<&str>) -> Result<Vec<Parked>, EngineError> {
        self.reader.parked(consumer.map(str::to_owned)).await
    }

    fn sqlite_reader(&self) -> Option<SqliteReader> {
        Some(self.reader.clone())
    }
}
