//! What goes wrong on the way between a checkout's driver and those it asks: by a script, one step
//! at a time. What is done is done by the [`World`] and by the store; only the way is bad.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use contracts::inventory::{InventoryApi, v1 as inventory};
use contracts::payment::{PaymentApi, v1 as payment};
use futures_util::future::BoxFuture;
use kernel::ErrorKind;
use kernel::id::Uuid;
use ordering::domain::Checkout;
use platform::Context;
use platform::env::TestClock;
use platform::idempotency::IdempotencyKey;
use platform::rpc::CallError;
use platform::store::{
    Aggregate, Applied, Decide, Engine, EngineError, IdempotencyRow, Parked, Query, RawRow,
    ReadSet, Sharing, Waiting, WriteSet,
};

use crate::world::World;

/// Longer than a checkout may go forward.
pub const LAPSE: Duration = Duration::from_secs(700);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives.
    Lost,
    /// It is done, and the answer is lost.
    DoneThenLost,
    /// It arrives twice, and the second answer comes back.
    Twice,
    /// It is done, and the answer comes when the goods are about to lapse.
    Late,
    /// Not done either, and meanwhile the goods lapse.
    LostUntilLapsed,
}

impl Fault {
    pub const ALL: [Self; 5] =
        [Self::Lost, Self::DoneThenLost, Self::Twice, Self::Late, Self::LostUntilLapsed];

    fn is_done(self) -> bool {
        !matches!(self, Self::Lost | Self::LostUntilLapsed)
    }

    pub fn lapses(self) -> bool {
        matches!(self, Self::Late | Self::LostUntilLapsed)
    }
}

/// So many times a step fails in one way.
#[derive(Clone, Debug)]
pub struct Strike {
    pub step: &'static str,
    pub fault: Fault,
    pub times: u32,
}

/// Which steps were tried, in order, and what became of each try.
pub type Log = Vec<(&'static str, Option<Fault>)>;

pub struct Script {
    clock: Arc<TestClock>,
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    strikes: Vec<Strike>,
    log: Log,
    /// The step that each checkout is stored at.
    stored: HashMap<Uuid, String>,
}

impl Script {
    pub fn new(clock: Arc<TestClock>) -> Arc<Self> {
        Arc::new(Self { clock, lines: Mutex::default() })
    }

    pub fn plan(&self, strikes: &[Strike]) {
        self.lock().strikes = strikes.to_vec();
    }

    pub fn log(&self) -> Log {
        self.lock().log.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap()
    }

    fn strike(&self, step: &'static str) -> Option<Fault> {
        let mut lines = self.lock();
        let planned = |strike: &&mut Strike| strike.step == step && strike.times > 0;
        let fault = lines.strikes.iter_mut().find(planned).map(|strike| {
            strike.times -= 1;
            strike.fault
        });
        lines.log.push((step, fault));
        fault
    }

    fn lapse(&self, fault: Option<Fault>) {
        if fault.is_some_and(Fault::lapses) {
            self.clock.advance(LAPSE);
        }
    }

    /// Whose commit this is, by what it stores of a checkout that was not stored before.
    fn step_of(&self, writes: &WriteSet) -> Option<(Uuid, &'static str, String)> {
        let row = writes.rows.iter().find(|row| row.aggregate.table == Checkout::TABLE)?;
        let (_, text) = row.state.as_ref()?;
        let state: serde_json::Value = serde_json::from_str(text).unwrap();
        let stored = match &state["step"] {
            serde_json::Value::String(word) => word.clone(),
            object => object.as_object().unwrap().keys().next().unwrap().clone(),
        };
        if self.lock().stored.get(&row.id) == Some(&stored) {
            return None;
        }
        let step = match stored.as_str() {
            "reserve" => "place",
            "void" | "release" => "unwind",
            "confirmed" => "confirm",
            "rejected" => "reject",
            other => panic!("no commit of a checkout ends at {other}; teach this what does"),
        };
        Some((row.id, step, stored))
    }
}

fn down(step: &str) -> CallError {
    CallError::new(ErrorKind::Unavailable, "down", format!("the way of {step} is bad"))
}

/// Inventory and payment at the end of a bad way.
pub struct BadWay {
    pub world: Arc<World>,
    pub script: Arc<Script>,
}

impl BadWay {
    async fn carry<'a, R>(
        &self,
        step: &'static str,
        call: impl Fn() -> BoxFuture<'a, Result<R, CallError>> + Send + Sync,
    ) -> Result<R, CallError> {
        let fault = self.script.strike(step);
        if !fault.is_none_or(Fault::is_done) {
            self.script.lapse(fault);
            return Err(down(step));
        }
        let mut answer = call().await;
        if fault == Some(Fault::Twice) {
            answer = call().await;
        }
        self.script.lapse(fault);
        if fault == Some(Fault::DoneThenLost) { Err(down(step)) } else { answer }
    }
}

#[async_trait]
impl InventoryApi for BadWay {
    async fn reserve(
        &self,
        context: Context,
        request: inventory::ReserveRequest,
    ) -> Result<inventory::ReserveReply, CallError> {
        self.carry("reserve", || self.world.reserve(context.clone(), request.clone())).await
    }

    async fn release(
        &self,
        context: Context,
        request: inventory::ReleaseRequest,
    ) -> Result<inventory::ReleaseReply, CallError> {
        self.carry("release", || self.world.release(context.clone(), request.clone())).await
    }

    async fn get_availability(
        &self,
        context: Context,
        request: inventory::GetAvailabilityRequest,
    ) -> Result<inventory::GetAvailabilityReply, CallError> {
        self.world.get_availability(context, request).await
    }

    async fn apply_counts(
        &self,
        context: Context,
        request: inventory::ApplyCountsRequest,
    ) -> Result<inventory::ApplyCountsReply, CallError> {
        self.world.apply_counts(context, request).await
    }

    async fn get_counts(
        &self,
        context: Context,
        request: inventory::GetCountsRequest,
    ) -> Result<inventory::GetCountsReply, CallError> {
        self.world.get_counts(context, request).await
    }
}

#[async_trait]
impl PaymentApi for BadWay {
    async fn authorize(
        &self,
        context: Context,
        request: payment::AuthorizeRequest,
    ) -> Result<payment::AuthorizeReply, CallError> {
        self.carry("authorize", || self.world.authorize(context.clone(), request.clone())).await
    }

    async fn void(
        &self,
        context: Context,
        request: payment::VoidRequest,
    ) -> Result<payment::VoidReply, CallError> {
        self.carry("void", || self.world.void(context.clone(), request.clone())).await
    }

    async fn get_payment(
        &self,
        context: Context,
        request: payment::GetPaymentRequest,
    ) -> Result<payment::GetPaymentReply, CallError> {
        self.world.get_payment(context, request).await
    }
}

/// A store whose commits fail by the script: before they are done, or after.
pub struct BadStore {
    pub inner: Arc<dyn Engine>,
    pub script: Arc<Script>,
}

#[async_trait]
impl Engine for BadStore {
    async fn transact(&self, reads: ReadSet, decide: Decide) -> Result<Applied, EngineError> {
        let struck = Arc::new(Mutex::new(None));
        let (script, seen) = (self.script.clone(), struck.clone());
        let spied: Decide = Box::new(move |loaded| {
            let writes = decide(loaded);
            let Some((id, step, stored)) = script.step_of(&writes) else { return writes };
            let fault = script.strike(step);
            *seen.lock().unwrap() = fault;
            if !fault.is_none_or(Fault::is_done) {
                return WriteSet::default();
            }
            script.lock().stored.insert(id, stored);
            writes
        });
        let applied = self.inner.transact(reads, spied).await?;
        let fault = *struck.lock().unwrap();
        self.script.lapse(fault);
        match fault {
            Some(Fault::Lost | Fault::LostUntilLapsed | Fault::DoneThenLost) => {
                Err(EngineError::Unavailable("the commit is lost, or its answer".to_owned()))
            }
            _ => Ok(applied),
        }
    }
    fn sharing(&self) -> Option<&dyn Sharing> {
        None
    }
    async fn get(&self, table: &'static str, ids: &[Uuid]) -> Result<Vec<RawRow>, EngineError> {
        self.inner.get(table, ids).await
    }
    async fn list(&self, table: &'static str, query: &Query) -> Result<Vec<RawRow>, EngineError> {
        self.inner.list(table, query).await
    }
    async fn idempotency(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRow>, EngineError> {
        self.inner.idempotency(key).await
    }
    async fn outbox(&self, after: i64, limit: u32) -> Result<Vec<Waiting>, EngineError> {
        self.inner.outbox(after, limit).await
    }
    async fn outbox_first(&self, aggregate: Uuid) -> Result<Option<u64>, EngineError> {
        self.inner.outbox_first(aggregate).await
    }
    async fn inbox_version(&self, consumer: &str, aggregate: Uuid) -> Result<u64, EngineError> {
        self.inner.inbox_version(consumer, aggregate).await
    }
    async fn is_parked(&self, consumer: &str, aggregate: Uuid) -> Result<bool, EngineError> {
        self.inner.is_parked(consumer, aggregate).await
    }
    async fn parked(&self, consumer: Option<&str>) -> Result<Vec<Parked>, EngineError> {
        self.inner.parked(consumer).await
    }
}
