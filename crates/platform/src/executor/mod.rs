//! Decide, then apply: the one way to change a service's state.
//!
//! Commands queue; the executor takes all that wait (at most [`BATCH`], never a timer), loads every
//! aggregate they name in one read in sorted key order, lets each decide in arrival order on that
//! state, and applies the outcome in one transaction. Each caller is answered after the
//! commit. A rejection concerns its own command only. When the database refuses a batch, the batch
//! is split and tried again, so that a neighbour never pays.
//!
//! The pattern is Jérémie Chassaing's decider over an aggregate document store, with the group
//! commit of databases.

mod batch;
mod job;
mod states;
mod tail;

use std::sync::Arc;

use kernel::Timestamp;
use kernel::id::Uuid;
use tokio::sync::{mpsc, oneshot};

pub use states::{Keys, States};

use crate::context::Context;
use crate::env::Env;
use crate::event::Envelope;
use crate::idempotency::Idempotent;
use crate::store::{Engine, Parked, Store, StoreError};
use job::{Chores, Inbox, Job, Nothing, Typed};
pub(crate) use tail::Tail;

/// How many commands share one transaction at most.
pub const BATCH: usize = 256;
/// How many commands may wait; the next one is refused as overloaded.
const QUEUE: usize = 8192;

/// An intention, with everything that its decision needs.
pub trait Command: Send + Sync + 'static {
    type Reply: Send + 'static;
    type Error: From<StoreError> + Send + 'static;

    /// Names every aggregate that [`Command::decide`] may touch.
    fn keys(&self, keys: &mut Keys);

    /// Pure and deterministic; it may run more than once. `Err` discards all that it put.
    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Self::Error>;
}

/// What a command carries into its events.
pub(crate) struct Meta {
    pub correlation: Arc<str>,
    pub causation: Option<Uuid>,
    pub traceparent: Option<String>,
}

impl Meta {
    fn of(context: &Context) -> Self {
        Self {
            correlation: context.correlation.clone(),
            causation: context.causation,
            traceparent: context.trace.map(|trace| trace.to_string()),
        }
    }
}

/// Runs the commands of one service. Cheap to clone; ends when the last clone is dropped and the
/// queue is empty.
#[derive(Clone)]
pub struct Executor {
    service: &'static str,
    env: Env,
    store: Store,
    /// One a lane.
    queues: Arc<[mpsc::Sender<Box<dyn Job>>]>,
    tail: Arc<Tail>,
}

impl Executor {
    /// Starts the one lane over `engine` as a task of `env`.
    pub fn start(service: &'static str, env: &Env, engine: Arc<dyn Engine>) -> Self {
        Self::start_lanes(service, env, engine, 1)
    }

    /// Several lanes, where the engine lets several batches run beside each other: those of one
    /// replica are to each other as those of several replicas. Elsewhere it is one.
    pub fn start_lanes(
        service: &'static str,
        env: &Env,
        engine: Arc<dyn Engine>,
        lanes: u32,
    ) -> Self {
        let lanes = if engine.sharing().is_some() { lanes.max(1) } else { 1 };
        let tail = Arc::new(Tail::default());
        let store = Store::new(engine);
        let start = |_| {
            let (queue, jobs) = mpsc::channel(QUEUE);
            let lane =
                batch::Lane { service, env: env.clone(), store: store.clone(), tail: tail.clone() };
            env.spawn("executor", lane.run(jobs));
            queue
        };
        let queues = (0..lanes).map(start).collect();
        Self { service, env: env.clone(), store, queues, tail }
    }

    pub fn service(&self) -> &'static str {
        self.service
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn env(&self) -> &Env {
        &self.env
    }

    /// Answers after the commit. When this future is dropped the command is carried out all the
    /// same; when it answers `Unavailable` the outcome is not known.
    pub async fn execute<C: Command>(
        &self,
        context: &Context,
        command: C,
    ) -> Result<C::Reply, C::Error> {
        self.execute_once(context, None, command).await
    }

    /// Like [`Executor::execute`], with the record of an idempotency key in the same transaction.
    /// A key that is taken is [`StoreError::KeyInProgress`] or [`StoreError::KeyReused`]; finished
    /// ones are answered by the HTTP layer before they come here.
    pub async fn execute_once<C: Command>(
        &self,
        context: &Context,
        once: Option<Idempotent<C::Reply>>,
        command: C,
    ) -> Result<C::Reply, C::Error> {
        let (sender, receiver) = oneshot::channel();
        let job = Typed::new(command, Meta::of(context), sender, once, None);
        self.submit(context, Box::new(job))?;
        receiver.await.map_err(|_| stopped())?
    }

    /// The effect of an event, exactly once: the inbox is checked and moved in the transaction of
    /// the effect. A stale event is `Ok` and does nothing; one that comes too early is
    /// [`StoreError::Gap`].
    pub async fn consume<C: Command<Reply = ()>>(
        &self,
        consumer: &'static str,
        envelope: &Envelope,
        command: C,
    ) -> Result<(), C::Error> {
        let (sender, receiver) = oneshot::channel();
        let inbox = Inbox {
            consumer,
            aggregate_id: envelope.aggregate_id,
            version: envelope.aggregate_version,
            passed_over: envelope.passed_over.min(envelope.aggregate_version.saturating_sub(1)),
            event_id: envelope.id,
        };
        let meta = Meta {
            correlation: envelope.correlation.clone(),
            causation: Some(envelope.id),
            traceparent: envelope.traceparent.clone(),
        };
        let job = Typed::new(command, meta, sender, None, Some(inbox));
        self.enqueue(Box::new(job)).await?;
        receiver.await.map_err(|_| stopped())?
    }

    /// An event that the consumer has no use for, or that is given up: only its inbox moves on.
    pub async fn consume_nothing(
        &self,
        consumer: &'static str,
        envelope: &Envelope,
    ) -> Result<(), StoreError> {
        if crate::bug::is("skip-version-check") {
            return Ok(());
        }
        self.consume(consumer, envelope, Nothing).await
    }

    /// Deletes delivered events from the outbox, in the next batch that comes along.
    pub(crate) fn delivered(&self, places: Vec<i64>) {
        self.tail.done(places);
    }

    /// Deletes what was delivered, now.
    pub(crate) async fn settle(&self) -> Result<(), StoreError> {
        self.chore(Chores::default()).await
    }

    /// Parks events of a consumer of this service, for good until an operator looks.
    pub(crate) async fn park(&self, events: Vec<Parked>) -> Result<(), StoreError> {
        self.chore(Chores { park: events, ..Chores::default() }).await
    }

    pub(crate) async fn unpark(&self, consumer: String, event: Uuid) -> Result<(), StoreError> {
        self.chore(Chores { unpark: vec![(consumer, event)], ..Chores::default() }).await
    }

    /// Forgets the answers of idempotency keys that were used before `time`, some in each batch.
    pub async fn forget_answers_before(&self, time: Timestamp) -> Result<(), StoreError> {
        let mut before = self.tail.forgotten();
        loop {
            self.chore(Chores { forget_answers_before: Some(time), ..Chores::default() }).await?;
            let now = self.tail.forgotten();
            if now == before {
                return Ok(());
            }
            before = now;
        }
    }

    /// The events of this service as they are committed.
    pub(crate) fn tail(&self) -> &Tail {
        &self.tail
    }

    async fn chore(&self, chores: Chores) -> Result<(), StoreError> {
        let (sender, receiver) = oneshot::channel();
        let meta = Meta { correlation: "".into(), causation: None, traceparent: None };
        self.enqueue(Box::new(Typed::new(chores, meta, sender, None, None))).await?;
        receiver.await.map_err(|_| stopped())?
    }

    fn submit(&self, context: &Context, job: Box<dyn Job>) -> Result<(), StoreError> {
        if context.deadline.has_passed(&self.env) {
            return Err(StoreError::DeadlineExceeded);
        }
        self.lane_of(job.as_ref()).try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })
    }

    /// Commands on one aggregate meet in one lane, as far as one aggregate is all that they touch:
    /// there they share a batch instead of waiting for each other's locks.
    fn lane_of(&self, job: &dyn Job) -> &mpsc::Sender<Box<dyn Job>> {
        let lanes = self.queues.len() as u32;
        let key = if lanes == 1 { None } else { job.keys().into_iter().map(|(_, id)| id).min() };
        let lane = key.map_or(0, |id| crate::event::partition_of(id, lanes));
        &self.queues[lane as usize]
    }

    /// For work that nobody outside waits for: it queues for a place in the queue.
    async fn enqueue(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.lane_of(job.as_ref()).send(job).await.map_err(|_| stopped())
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the executor has stopped".to_owned())
}
