//! A table that cannot be read for a moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kernel::id::Uuid;
use platform::Env;
use platform::bus::LocalBus;
use platform::idempotency::IdempotencyKey;
use platform::shutdown::Shutdown;
use platform::store::memory::MemoryEngine;
use platform::store::{
    Applied, Decide, Engine, EngineError, IdempotencyRow, Parked, Query, RawRow, ReadSet, Sharing,
    Waiting,
};

use crate::local_bus::Mirror;
use crate::sample::{Bench, PutBox, a_box, schema};

const PATIENCE: Duration = Duration::from_secs(20);

/// A commit of which no answer comes, and a look into the outbox that fails.
struct Unreadable {
    engine: MemoryEngine,
    loses_answer: AtomicBool,
    fails_to_look: AtomicBool,
}

fn not_now() -> EngineError {
    EngineError::Unavailable("not now".to_owned())
}

#[async_trait]
impl Engine for Unreadable {
    async fn transact(&self, reads: ReadSet, decide: Decide) -> Result<Applied, EngineError> {
        let applied = self.engine.transact(reads, decide).await?;
        if self.loses_answer.swap(false, Ordering::SeqCst) { Err(not_now()) } else { Ok(applied) }
    }
    fn sharing(&self) -> Option<&dyn Sharing> {
        self.engine.sharing()
    }
    async fn get(&self, table: &'static str, ids: &[Uuid]) -> Result<Vec<RawRow>, EngineError> {
        self.engine.get(table, ids).await
    }
    async fn list(&self, table: &'static str, query: &Query) -> Result<Vec<RawRow>, EngineError> {
        self.engine.list(table, query).await
    }
    async fn idempotency(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRow>, EngineError> {
        self.engine.idempotency(key).await
    }
    async fn outbox(&self, after: i64, limit: u32) -> Result<Vec<Waiting>, EngineError> {
        if self.fails_to_look.swap(false, Ordering::SeqCst) {
            return Err(not_now());
        }
        self.engine.outbox(after, limit).await
    }
    async fn outbox_first(&self, aggregate: Uuid) -> Result<Option<u64>, EngineError> {
        self.engine.outbox_first(aggregate).await
    }
    async fn inbox_version(&self, consumer: &str, aggregate: Uuid) -> Result<u64, EngineError> {
        self.engine.inbox_version(consumer, aggregate).await
    }
    async fn is_parked(&self, consumer: &str, aggregate: Uuid) -> Result<bool, EngineError> {
        self.engine.is_parked(consumer, aggregate).await
    }
    async fn parked(&self, consumer: Option<&str>) -> Result<Vec<Parked>, EngineError> {
        self.engine.parked(consumer).await
    }
}

/// What was told of later moved the relay's cursor past them once, and they stayed until the next
/// start.
#[tokio::test]
async fn events_that_could_not_be_read_are_delivered_before_what_is_told_of_later() {
    let (schema, heavy) = schema();
    let engine = Arc::new(Unreadable {
        engine: MemoryEngine::new(&schema),
        loses_answer: AtomicBool::new(false),
        fails_to_look: AtomicBool::new(false),
    });
    let bench = Bench::over(&schema, Some(heavy), engine.clone(), Env::test());
    let mirror = Mirror::new(&bench, "test.mirror", Uuid::nil());
    let bus = LocalBus::new(
        bench.test.env.clone(),
        vec![bench.executor.clone()],
        vec![mirror.subscription()],
    );
    bus.start(&Shutdown::new());
    let [first, early, late] = [1, 2, 3].map(|weight| (bench.id(), weight));
    let put = async |(id, weight): (Uuid, i64)| {
        bench.run(PutBox { id, state: a_box(&format!("box {weight}"), weight) }).await
    };
    put(first).await.unwrap();
    mirror.until_handled(1).await;
    while !bus.is_quiet().await {
        tokio::task::yield_now().await;
    }
    engine.fails_to_look.store(true, Ordering::SeqCst);
    engine.loses_answer.store(true, Ordering::SeqCst);
    assert!(put(early).await.is_err(), "nobody knows that it was committed");
    while engine.fails_to_look.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    put(late).await.unwrap();
    let all = bench.test.env.timeout(PATIENCE, mirror.until_handled(3)).await;
    assert!(all.is_some(), "two of three events were delivered");
    for (id, weight) in [first, early, late] {
        assert_eq!(bench.get(mirror.copy_of(id)).await.map(|copy| copy.weight), Some(weight));
    }
}
