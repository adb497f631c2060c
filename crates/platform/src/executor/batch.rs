//! One lane: takes what waits, and turns it into a transaction.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::id::Uuid;
use tokio::sync::mpsc;

use super::BATCH;
use super::job::Job;
use super::states::Batch;
use super::tail::Tail;
use crate::env::Env;
use crate::event::Envelope;
use crate::idempotency::IdempotencyKey;
use crate::store::cache::Remembered;
use crate::store::{
    AggregateType, Applied, Decide, EngineError, FILL, ReadSet, RowWrite, Store, StoreError,
    Waiting, WriteSet,
};

pub(super) struct Lane {
    pub service: &'static str,
    pub env: Env,
    pub store: Store,
    pub tail: Arc<Tail>,
}

/// How often a batch is decided again because a row changed in between (another replica).
const TRIES: u32 = 10;

type Key = (&'static str, Uuid);
type Changes = Vec<(Key, Option<Remembered>)>;

/// What the closure that runs inside the transaction hands back to the lane.
struct Shared {
    jobs: Vec<Box<dyn Job>>,
    failure: Option<String>,
    events: Vec<Arc<Envelope>>,
    changes: Changes,
}

impl Lane {
    pub(super) async fn run(self, mut queue: mpsc::Receiver<Box<dyn Job>>) {
        let mut jobs = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut jobs, BATCH).await > 0 {
            self.gather(&mut queue, &mut jobs).await;
            let size = jobs.len() as f64;
            metrics::histogram!("mercat_executor_batch_size", "service" => self.service)
                .record(size);
            self.process(std::mem::take(&mut jobs)).await;
        }
    }

    /// Whoever is ready to run and about to hand a command in does so now: on an idle system
    /// nobody is, and this takes no time.
    async fn gather(&self, queue: &mut mpsc::Receiver<Box<dyn Job>>, jobs: &mut Vec<Box<dyn Job>>) {
        tokio::task::yield_now().await;
        while jobs.len() < BATCH {
            let Ok(job) = queue.try_recv() else { break };
            jobs.push(job);
        }
    }

    /// Halves a refused batch until the command at fault stands alone.
    async fn process(&self, jobs: Vec<Box<dyn Job>>) {
        let mut pending = vec![(jobs, 0)];
        while let Some((jobs, tries)) = pending.pop() {
            let alone = jobs.len() == 1;
            let (mut jobs, outcome) = self.attempt(jobs, tries > 0).await;
            match outcome {
                Ok(()) => {
                    for job in jobs {
                        job.answer(None);
                    }
                }
                Err(EngineError::Changed) if tries < TRIES => {
                    crate::sometimes::reached("a batch was decided again after a conflict");
                    pending.push((jobs, tries + 1));
                }
                Err(EngineError::Unique { .. } | EngineError::Constraint(_)) if !alone => {
                    let second = jobs.split_off(jobs.len() / 2);
                    pending.push((second, 0));
                    pending.push((jobs, 0));
                }
                Err(error) => {
                    if !matches!(error, EngineError::Unique { .. }) {
                        tracing::error!(service = self.service, %error, "a batch was not applied");
                    }
                    let error = StoreError::from(error);
                    for job in jobs {
                        job.answer(Some(error.clone()));
                    }
                }
            }
        }
    }

    async fn attempt(
        &self,
        jobs: Vec<Box<dyn Job>>,
        contended: bool,
    ) -> (Vec<Box<dyn Job>>, Result<(), EngineError>) {
        let keys = keys_of(&jobs);
        let known = self.recall(&keys);
        let reads = ReadSet { contended, ..read_set(&jobs, &keys, &known) };
        let done = self.tail.take_done();
        let shared =
            Shared { jobs, failure: None, events: Vec::new(), changes: Changes::default() };
        let shared = Arc::new(Mutex::new(shared));
        let touched: Vec<Key> = keys.iter().map(|(aggregate, id)| (aggregate.table, *id)).collect();
        let decide = self.decide(keys, known, &reads, done.clone(), shared.clone());
        crate::crash::point("executor.commit.before");
        let outcome = self.store.engine().transact(reads, decide).await;
        crate::crash::point("executor.commit.after");
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = match shared.failure.take() {
            Some(text) => Err(EngineError::Constraint(text)),
            None => outcome,
        };
        let (events, changes) =
            (std::mem::take(&mut shared.events), std::mem::take(&mut shared.changes));
        let outcome = match outcome {
            Ok(applied) => {
                self.applied(&applied, events, changes);
                Ok(())
            }
            Err(error) => {
                if matches!(error, EngineError::Unavailable(_)) {
                    self.tail.lost_sight();
                }
                self.tail.done(done);
                if let Some(cache) = self.store.cache() {
                    cache.forget(touched);
                }
                Err(error)
            }
        };
        (std::mem::take(&mut shared.jobs), outcome)
    }

    fn recall(&self, keys: &[(AggregateType, Uuid)]) -> HashMap<Key, Remembered> {
        let Some(cache) = self.store.cache() else { return HashMap::new() };
        let known = keys.iter().filter_map(|(aggregate, id)| {
            Some(((aggregate.table, *id), cache.get(aggregate.table, *id)?))
        });
        known.collect()
    }

    /// The batch is on the disk: readers and the relay may know.
    fn applied(&self, applied: &Applied, events: Vec<Arc<Envelope>>, changes: Changes) {
        if let (Some(cache), false) = (self.store.cache(), changes.is_empty()) {
            cache.committed(changes);
        }
        self.tail.count_forgotten(applied.forgotten);
        if !events.is_empty() {
            self.tail.show(&events);
            let waiting = applied.places.iter().zip(events);
            self.tail.push(waiting.map(|(place, envelope)| Waiting { place: *place, envelope }));
        }
    }

    fn decide(
        &self,
        keys: Vec<(AggregateType, Uuid)>,
        known: HashMap<Key, Remembered>,
        reads: &ReadSet,
        done: Vec<i64>,
        shared: Arc<Mutex<Shared>>,
    ) -> Decide {
        let (service, env) = (self.service, self.env.clone());
        // A batch that reads a lot goes through it once; it would only push out what is in use.
        let remembers = reads.aggregates.len() <= FILL;
        let asked: Vec<_> = reads.idempotency.iter().map(IdempotencyKey::identity).collect();
        Box::new(move |mut loaded| {
            let saved = std::mem::take(&mut loaded.idempotency);
            let mut batch = Batch::new(keys, loaded, known);
            let known = asked.into_iter().zip(saved);
            batch.idempotency = known.filter_map(|(key, row)| Some((key, row?))).collect();
            let now = env.now();
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            for job in &mut shared.jobs {
                job.decide(&mut batch, service, &env, now);
            }
            let read: Vec<_> = batch.read_only().filter(|_| remembers).collect();
            let encoded = catch_unwind(AssertUnwindSafe(|| batch.into_writes()));
            match encoded.unwrap_or_else(|_| Err("encoding a state panicked".to_owned())) {
                Ok(mut writes) => {
                    writes.outbox_done = done;
                    shared.events.clone_from(&writes.outbox);
                    shared.changes = writes.rows.iter().map(change).chain(read).collect();
                    writes
                }
                Err(error) => {
                    shared.failure = Some(error);
                    WriteSet::default()
                }
            }
        })
    }
}

/// What a write leaves behind for the next batch.
fn change(write: &RowWrite) -> (Key, Option<Remembered>) {
    let state = write.state.as_ref().map(|(state, text)| {
        Remembered::new(write.version, write.seq, state.clone(), text.len()).written()
    });
    ((write.aggregate.table, write.id), state)
}

/// Every aggregate that the jobs touch, sorted and once each.
fn keys_of(jobs: &[Box<dyn Job>]) -> Vec<(AggregateType, Uuid)> {
    let mut keys: Vec<_> = jobs.iter().flat_map(|job| job.keys()).collect();
    keys.sort_by_key(|(aggregate, id)| (aggregate.table, *id));
    keys.dedup_by_key(|(aggregate, id)| (aggregate.table, *id));
    keys
}

/// What has to be read of it, and beside it.
fn read_set(
    jobs: &[Box<dyn Job>],
    keys: &[(AggregateType, Uuid)],
    known: &HashMap<Key, Remembered>,
) -> ReadSet {
    let mut inbox: Vec<_> = jobs
        .iter()
        .filter_map(|job| job.inbox())
        .map(|inbox| (inbox.consumer, inbox.aggregate_id))
        .collect();
    inbox.sort_unstable();
    inbox.dedup();
    let idempotency = jobs.iter().filter_map(|job| job.idempotency().cloned()).collect();
    let keys = keys.iter().map(|(aggregate, id)| (aggregate.table, *id));
    let aggregates = keys.filter(|key| !known.contains_key(key)).collect();
    ReadSet { aggregates, inbox, idempotency, contended: false }
}
