//! A database that several processes write to: nothing is remembered of it between batches.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::id::Uuid;
use platform::idempotency::IdempotencyKey;
use platform::store::{
    Applied, Decide, Engine, EngineError, Holding, IdempotencyRow, Parked, Query, RawRow, ReadSet,
    Sharing, SqliteReader, Waiting,
};

pub struct Shared(pub Arc<dyn Engine>);

#[async_trait]
impl Engine for Shared {
    async fn transact(&self, reads: ReadSet, decide: Decide) -> Result<Applied, EngineError> {
        self.0.transact(reads, decide).await
    }
    fn sharing(&self) -> Option<&dyn Sharing> {
        Some(self)
    }
    async fn get(&self, table: &'static str, ids: &[Uuid]) -> Result<Vec<RawRow>, EngineError> {
        self.0.get(table, ids).await
    }
    async fn list(&self, table: &'static str, query: &Query) -> Result<Vec<RawRow>, EngineError> {
        self.0.list(table, query).await
    }
    async fn idempotency(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRow>, EngineError> {
        self.0.idempotency(key).await
    }
    async fn outbox(&self, after: i64, limit: u32) -> Result<Vec<Waiting>, EngineError> {
        self.0.outbox(after, limit).await
    }
    async fn outbox_first(&self, aggregate: Uuid) -> Result<Option<u64>, EngineError> {
        self.0.outbox_first(aggregate).await
    }
    async fn inbox_version(&self, consumer: &str, aggregate: Uuid) -> Result<u64, EngineError> {
        self.0.inbox_version(consumer, aggregate).await
    }
    async fn is_parked(&self, consumer: &str, aggregate: Uuid) -> Result<bool, EngineError> {
        self.0.is_parked(consumer, aggregate).await
    }
    async fn parked(&self, consumer: Option<&str>) -> Result<Vec<Parked>, EngineError> {
        self.0.parked(consumer).await
    }
    fn sqlite_reader(&self) -> Option<SqliteReader> {
        self.0.sqlite_reader()
    }
}

/// No relay works here, so that none has a share of the outbox.
#[async_trait]
impl Sharing for Shared {
    async fn lease(&self, _owner: Uuid, _life: Duration) -> Result<Holding, EngineError> {
        Ok(Holding { leases: Vec::new(), members: 1 })
    }
    async fn release(&self, _owner: Uuid) -> Result<(), EngineError> {
        Ok(())
    }
    async fn unsent(
        &self,
        _shards: &[u32],
        _besides: &[i64],
        _limit: u32,
    ) -> Result<Vec<Waiting>, EngineError> {
        Ok(Vec::new())
    }
}
