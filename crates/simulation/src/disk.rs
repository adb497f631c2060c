//! The database of a service: rows in memory that outlive every process over them, behind an engine
//! of each process that is slow, fails, and does what it then reports as failed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use kernel::id::Uuid;
use platform::event::PARTITIONS;
use platform::idempotency::IdempotencyKey;
use platform::store::memory::MemoryEngine;
use platform::store::{
    Applied, Decide, Engine, EngineError, Holding, IdempotencyRow, Parked, Query, RawRow, ReadSet,
    Schema, Sharing, Waiting,
};

use crate::core::{Core, Node};
use crate::fault::Fault;
use crate::leases::Leases;

/// The longest that a slow statement takes.
const SLOW: Duration = Duration::from_secs(3);
const USUAL: Duration = Duration::from_millis(2);

/// What outlives a process.
pub struct Disk {
    pub rows: MemoryEngine,
    pub schema: Schema,
    leases: Mutex<Leases>,
}

impl Disk {
    pub fn new(schema: Schema) -> Self {
        let rows = MemoryEngine::new(&schema);
        Self { rows, schema, leases: Mutex::default() }
    }

    /// Another with the same rows.
    pub fn copy(&self, schema: Schema) -> Self {
        let rows = self.rows.copy(&schema);
        Self { rows, schema, leases: Mutex::default() }
    }
}

/// One process' way to a disk.
pub struct DiskEngine {
    core: Core,
    disk: Arc<Disk>,
    node: Node,
    life: u64,
    /// May several processes write?
    is_shared: bool,
}

impl DiskEngine {
    pub fn open(core: &Core, disk: &Arc<Disk>, node: Node, is_shared: bool) -> Arc<Self> {
        let life = core.state().nodes[node].life;
        Arc::new(Self { core: core.clone(), disk: disk.clone(), node, life, is_shared })
    }

    async fn pause(&self) {
        let is_slow = self.core.strikes(Fault::SlowDisk);
        let pause = self.core.draw(|chance| match is_slow {
            true => chance.pause(SLOW),
            false if chance.strikes(5_000) => Duration::ZERO,
            false => chance.pause(USUAL),
        });
        if !pause.is_zero() {
            self.core.sleep(pause).await;
        }
    }

    async fn read(&self) -> Result<(), EngineError> {
        if self.core.strikes(Fault::SlowDisk) {
            self.pause().await;
        }
        if self.core.strikes(Fault::ReadFails) {
            return Err(failed("a read failed"));
        }
        Ok(())
    }
}

fn failed(what: &str) -> EngineError {
    EngineError::Unavailable(format!("simulated: {what}"))
}

#[async_trait]
impl Engine for DiskEngine {
    async fn transact(&self, reads: ReadSet, decide: Decide) -> Result<Applied, EngineError> {
        self.pause().await;
        if self.core.strikes(Fault::CommitFails) {
            return Err(failed("a commit failed"));
        }
        if self.is_shared && self.core.strikes(Fault::Conflict) {
            return Err(EngineError::Changed);
        }
        let (service, core) = (self.disk.schema.service, self.core.clone());
        let decide: Decide = Box::new(move |loaded| {
            let writes = decide(loaded);
            let mut state = core.state();
            let now = state.now;
            state.trace.mix(now, writes.rows.len() as u64);
            state.trace.tell(now, || told(service, &writes));
            drop(state);
            writes
        });
        let applied = self.disk.rows.transact(reads, decide).await?;
        self.pause().await;
        if self.core.strikes(Fault::CommitUnknown) {
            return Err(failed("the answer to a commit got lost"));
        }
        Ok(applied)
    }

    fn sharing(&self) -> Option<&dyn Sharing> {
        self.is_shared.then_some(self)
    }

    async fn get(&self, table: &'static str, ids: &[Uuid]) -> Result<Vec<RawRow>, EngineError> {
        self.read().await?;
        self.disk.rows.get(table, ids).await
    }

    async fn list(&self, table: &'static str, query: &Query) -> Result<Vec<RawRow>, EngineError> {
        self.read().await?;
        self.disk.rows.list(table, query).await
    }

    async fn idempotency(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRow>, EngineError> {
        self.read().await?;
        self.disk.rows.idempotency(key).await
    }

    async fn outbox(&self, after: i64, limit: u32) -> Result<Vec<Waiting>, EngineError> {
        self.read().await?;
        self.disk.rows.outbox(after, limit).await
    }

    async fn outbox_first(&self, aggregate: Uuid) -> Result<Option<u64>, EngineError> {
        self.read().await?;
        self.disk.rows.outbox_first(aggregate).await
    }

    async fn inbox_version(&self, consumer: &str, aggregate: Uuid) -> Result<u64, EngineError> {
        self.read().await?;
        self.disk.rows.inbox_version(consumer, aggregate).await
    }

    async fn is_parked(&self, consumer: &str, aggregate: Uuid) -> Result<bool, EngineError> {
        self.read().await?;
        self.disk.rows.is_parked(consumer, aggregate).await
    }

    async fn parked(&self, consumer: Option<&str>) -> Result<Vec<Parked>, EngineError> {
        self.read().await?;
        self.disk.rows.parked(consumer).await
    }
}

/// A commit in words.
fn told(service: &str, writes: &platform::store::WriteSet) -> String {
    let rows = writes.rows.iter().map(|row| {
        let short = &row.id.simple().to_string()[22..];
        format!("{} …{short} v{}", row.aggregate.table, row.version)
    });
    let events = writes.outbox.iter().map(|event| {
        let name = event.event_type.rsplit('.').nth(1).unwrap_or(&event.event_type);
        format!("+{name}#{}", event.aggregate_version)
    });
    let inbox = writes.inbox.iter().map(|moved| format!("{}<{}", moved.consumer, moved.version));
    let all: Vec<String> = rows.chain(events).chain(inbox).collect();
    format!("{service} commits {}", all.join(", "))
}

#[async_trait]
impl Sharing for DiskEngine {
    async fn lease(&self, owner: Uuid, life: Duration) -> Result<Holding, EngineError> {
        self.pause().await;
        if self.core.strikes(Fault::CommitFails) {
            return Err(failed("leases were not renewed"));
        }
        let is_alive = |(node, life): (Node, u64)| self.core.state().nodes[node].life == life;
        let mut leases = self.disk.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let member = (self.node, self.life);
        Ok(leases.renew(owner, member, self.core.now(), life, is_alive))
    }

    async fn release(&self, owner: Uuid) -> Result<(), EngineError> {
        let mut leases = self.disk.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.release(owner);
        Ok(())
    }

    async fn unsent(
        &self,
        shards: &[u32],
        besides: &[i64],
        limit: u32,
    ) -> Result<Vec<Waiting>, EngineError> {
        self.read().await?;
        let all = self.disk.rows.outbox(0, u32::MAX).await?;
        let wanted = all.into_iter().filter(|waiting| {
            shards.contains(&waiting.envelope.partition(PARTITIONS))
                && !besides.contains(&waiting.place)
        });
        Ok(wanted.take(limit as usize).collect())
    }
}
