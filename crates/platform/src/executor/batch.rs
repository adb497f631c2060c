//! One lane: takes what waits, and turns it into a transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::id::Uuid;
use tokio::sync::{Notify, mpsc};

use super::BATCH;
use super::job::Job;
use super::states::Batch;
use crate::env::Env;
use crate::idempotency::IdempotencyKey;
use crate::store::{AggregateType, Decide, Engine, EngineError, ReadSet, StoreError, WriteSet};

pub(super) struct Lane {
    pub service: &'static str,
    pub env: Env,
    pub engine: Arc<dyn Engine>,
    pub committed: Arc<Notify>,
}

/// How often a batch is decided again because a row changed in between (another replica).
const TRIES: u32 = 10;

/// What the closure that runs inside the transaction hands back to the lane.
struct Shared {
    jobs: Vec<Box<dyn Job>>,
    failure: Option<String>,
    events: bool,
}

impl Lane {
    pub(super) async fn run(self, mut queue: mpsc::Receiver<Box<dyn Job>>) {
        let mut jobs = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut jobs, BATCH).await > 0 {
            let size = jobs.len() as f64;
            metrics::histogram!("mercat_executor_batch_size", "service" => self.service)
                .record(size);
            self.process(std::mem::take(&mut jobs)).await;
        }
    }

    /// Halves a refused batch until the command at fault stands alone.
    async fn process(&self, jobs: Vec<Box<dyn Job>>) {
        let mut pending = vec![(jobs, 0)];
        while let Some((jobs, tries)) = pending.pop() {
            let alone = jobs.len() == 1;
            let (mut jobs, outcome) = self.attempt(jobs).await;
            match outcome {
                Ok(()) => {
                    for job in jobs {
                        job.answer(None);
                    }
                }
                Err(EngineError::Changed) if tries < TRIES => pending.push((jobs, tries + 1)),
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
    ) -> (Vec<Box<dyn Job>>, Result<(), EngineError>) {
        let (keys, reads) = read_set(&jobs);
        let shared = Arc::new(Mutex::new(Shared { jobs, failure: None, events: false }));
        let decide = self.decide(keys, &reads, shared.clone());
        crate::crash::point("executor.commit.before");
        let outcome = self.engine.transact(reads, decide).await;
        crate::crash::point("executor.commit.after");
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = match shared.failure.take() {
            Some(text) => Err(EngineError::Constraint(text)),
            None => outcome,
        };
        if outcome.is_ok() && shared.events {
            self.committed.notify_one();
        }
        (std::mem::take(&mut shared.jobs), outcome)
    }

    fn decide(
        &self,
        keys: Vec<(AggregateType, Uuid)>,
        reads: &ReadSet,
        shared: Arc<Mutex<Shared>>,
    ) -> Decide {
        let (service, env) = (self.service, self.env.clone());
        let asked: Vec<_> = reads.idempotency.iter().map(IdempotencyKey::identity).collect();
        Box::new(move |mut loaded| {
            let saved = std::mem::take(&mut loaded.idempotency);
            let mut batch = Batch::new(keys, loaded);
            let known = asked.into_iter().zip(saved);
            batch.idempotency = known.filter_map(|(key, row)| Some((key, row?))).collect();
            let now = env.now();
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            for job in &mut shared.jobs {
                job.decide(&mut batch, service, &env, now);
            }
            let encoded = catch_unwind(AssertUnwindSafe(|| batch.into_writes()));
            match encoded.unwrap_or_else(|_| Err("encoding a state panicked".to_owned())) {
                Ok(writes) => {
                    shared.events = !writes.outbox.is_empty();
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

/// Everything that the jobs touch, sorted and once each.
fn read_set(jobs: &[Box<dyn Job>]) -> (Vec<(AggregateType, Uuid)>, ReadSet) {
    let mut keys: Vec<_> = jobs.iter().flat_map(|job| job.keys()).collect();
    keys.sort_by_key(|(aggregate, id)| (aggregate.table, *id));
    keys.dedup_by_key(|(aggregate, id)| (aggregate.table, *id));
    let mut inbox: Vec<_> = jobs
        .iter()
        .filter_map(|job| job.inbox())
        .map(|inbox| (inbox.consumer, inbox.aggregate_id))
        .collect();
    inbox.sort_unstable();
    inbox.dedup();
    let idempotency = jobs.iter().filter_map(|job| job.idempotency().cloned()).collect();
    let aggregates = keys.iter().map(|(aggregate, id)| (aggregate.table, *id)).collect();
    (keys, ReadSet { aggregates, inbox, idempotency })
}
