//! What the broker confirmed, in the order in which it did.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use kernel::id::Uuid;
use platform::bus::broker::{Broker, BrokerError, Inbound, Publisher};
use platform::env::Env;
use platform::event::Envelope;

use crate::measure::histogram::Histogram;

/// Shared by all replicas.
#[derive(Default)]
pub struct Journal {
    state: Mutex<State>,
    pub commands: AtomicU64,
    pub rejected: AtomicU64,
    /// Commands of which nobody knows what became of them.
    pub failed: AtomicU64,
}

#[derive(Default)]
struct State {
    /// The last version of each aggregate.
    last: HashMap<Uuid, u64>,
    delays: Histogram,
    twice: u64,
    too_early: u64,
}

/// What became of the events.
pub struct Delivered {
    /// From the decision to the broker's confirmation, of each event the first time.
    pub delays: Histogram,
    pub events: u64,
    /// Confirmed more than once: inboxes make nothing of it.
    pub twice: u64,
    /// Before one of the same aggregate that it follows.
    pub too_early: u64,
    /// Committed, and never confirmed.
    pub lost: u64,
    /// Confirmed, and never committed.
    pub from_nothing: u64,
}

impl Journal {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn confirmed(&self, event: &Envelope, delay: Duration) {
        let mut state = self.lock();
        let last = state.last.entry(event.aggregate_id).or_default();
        let (before, version) = (*last, event.aggregate_version);
        *last = before.max(version);
        if version <= before {
            state.twice += 1;
            return;
        }
        state.too_early += u64::from(version > before + 1);
        state.delays.record(delay);
    }

    /// Commands that were carried out, that were rejected, and that failed.
    pub fn answered(&self) -> [u64; 3] {
        [&self.commands, &self.rejected, &self.failed].map(|count| count.load(Ordering::Relaxed))
    }

    /// `committed`: how many events each aggregate has told of.
    pub fn delivered(&self, committed: &BTreeMap<Uuid, u64>) -> Delivered {
        let state = self.lock();
        let last = |id: &Uuid| state.last.get(id).copied().unwrap_or_default();
        let lost = committed.iter().map(|(id, seq)| seq.saturating_sub(last(id))).sum();
        let known = |id: &Uuid| committed.get(id).copied().unwrap_or_default();
        let more = state.last.iter().map(|(id, version)| version.saturating_sub(known(id)));
        Delivered {
            delays: state.delays.clone(),
            events: state.last.values().sum(),
            twice: state.twice,
            too_early: state.too_early,
            lost,
            from_nothing: more.sum(),
        }
    }
}

/// A broker whose confirmations are written down.
pub struct Watched {
    pub env: Env,
    pub inner: Arc<dyn Broker>,
    pub journal: Arc<Journal>,
}

struct Watching {
    env: Env,
    inner: Arc<dyn Publisher>,
    journal: Arc<Journal>,
}

#[async_trait]
impl Broker for Watched {
    async fn publisher(&self, service: &'static str) -> Result<Arc<dyn Publisher>, BrokerError> {
        let inner = self.inner.publisher(service).await?;
        let (env, journal) = (self.env.clone(), self.journal.clone());
        Ok(Arc::new(Watching { env, inner, journal }))
    }

    async fn subscribe(
        &self,
        consumer: &'static str,
        source: &'static str,
    ) -> Result<Box<dyn Inbound>, BrokerError> {
        self.inner.subscribe(consumer, source).await
    }
}

#[async_trait]
impl Publisher for Watching {
    async fn publish(&self, event: &Envelope) -> Result<(), BrokerError> {
        self.inner.publish(event).await?;
        self.journal.confirmed(event, self.env.now().since(event.time));
        Ok(())
    }
}
