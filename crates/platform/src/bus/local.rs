//! The bus inside one process: a relay per service reads its outbox and hands each event to every
//! consumer of that service; when all have committed, the row is deleted.

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use kernel::Timestamp;
use kernel::id::Uuid;

use super::poison::{Ward, context_of};
use crate::env::Env;
use crate::event::{Consumer, Envelope, HandleError};
use crate::executor::Executor;
use crate::shutdown::Shutdown;

/// A consumer together with the executor of the service it belongs to.
#[derive(Clone)]
pub struct Subscription {
    pub consumer: Consumer,
    pub executor: Executor,
}

/// Connects publishers to subscriptions.
pub struct LocalBus {
    env: Env,
    publishers: Vec<Executor>,
    subscriptions: Vec<Subscription>,
}

/// How many events a relay takes at once.
const TAKE: u32 = 512;
/// When no commit wakes the relay, it looks by itself.
const POLL: Duration = Duration::from_secs(1);
/// A key that failed is tried again after this, doubled each time, up to [`POLL`].
const BACKOFF: Duration = Duration::from_millis(20);

impl LocalBus {
    pub fn new(env: Env, publishers: Vec<Executor>, subscriptions: Vec<Subscription>) -> Self {
        Self { env, publishers, subscriptions }
    }

    pub fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    /// Starts one relay per publisher. They end at shutdown; what they had not deleted is delivered
    /// again after the next start, and the inboxes make nothing of it.
    pub fn start(&self, shutdown: &Shutdown) {
        for publisher in &self.publishers {
            let service = publisher.service();
            let interested = |s: &&Subscription| s.consumer.sources.contains(&service);
            let relay = Relay {
                env: self.env.clone(),
                publisher: publisher.clone(),
                subscriptions: self.subscriptions.iter().filter(interested).cloned().collect(),
                ward: Arc::new(Ward::default()),
                later: HashMap::new(),
            };
            let shutdown = shutdown.clone();
            self.env.spawn("relay", relay.run(shutdown));
        }
    }

    /// True while an event from before `time` waits anywhere.
    pub async fn has_backlog_before(&self, time: Timestamp) -> bool {
        for publisher in &self.publishers {
            match publisher.store().outbox(1).await {
                Ok(events) if events.first().is_none_or(|event| event.time >= time) => {}
                _ => return true,
            }
        }
        false
    }

    /// True when no event waits anywhere: for tests that wait for quiet.
    pub async fn is_quiet(&self) -> bool {
        for publisher in &self.publishers {
            match publisher.store().outbox(1).await {
                Ok(events) if events.is_empty() => {}
                _ => return false,
            }
        }
        true
    }
}

struct Relay {
    env: Env,
    publisher: Executor,
    subscriptions: Vec<Subscription>,
    ward: Arc<Ward>,
    /// Keys that failed: how often, and when (monotonic) to try again.
    later: HashMap<Uuid, (u32, Duration)>,
}

impl Relay {
    async fn run(mut self, shutdown: Shutdown) {
        for subscription in &self.subscriptions {
            if let Err(error) = self.ward.load(subscription).await {
                tracing::error!(%error, consumer = subscription.consumer.name, "parked keys unknown");
            }
        }
        loop {
            let progressed = self.round().await;
            if progressed {
                continue;
            }
            let wait = self.next_try();
            tokio::select! {
                () = shutdown.stopping() => return,
                () = self.publisher.committed().notified() => {}
                () = self.env.sleep(wait) => {}
            }
        }
    }

    fn next_try(&self) -> Duration {
        let now = self.env.clock.monotonic();
        let soonest = self.later.values().map(|(_, at)| at.saturating_sub(now)).min();
        soonest.unwrap_or(POLL).clamp(Duration::from_millis(1), POLL)
    }

    /// Delivers what is there. True when something was delivered and there may be more.
    async fn round(&mut self) -> bool {
        let events = match self.publisher.store().outbox(TAKE).await {
            Ok(events) => events,
            Err(error) => {
                tracing::error!(%error, service = self.publisher.service(), "outbox unreadable");
                return false;
            }
        };
        let now = self.env.clock.monotonic();
        let mut keys: BTreeMap<Uuid, Vec<Envelope>> = BTreeMap::new();
        for event in events {
            if self.later.get(&event.aggregate_id).is_none_or(|(_, at)| *at <= now) {
                keys.entry(event.aggregate_id).or_default().push(event);
            }
        }
        let deliveries = keys.into_iter().map(|(key, mut events)| {
            events.sort_by_key(|event| event.aggregate_version);
            self.deliver_key(key, events)
        });
        let mut published = Vec::new();
        for (key, done, complete) in join_all(deliveries).await {
            published.extend(done);
            if complete {
                self.later.remove(&key);
            } else {
                let (tries, at) = self.later.entry(key).or_default();
                *tries += 1;
                *at = self.env.clock.monotonic() + (BACKOFF * 2_u32.pow((*tries).min(6))).min(POLL);
            }
        }
        if published.is_empty() {
            return false;
        }
        crate::crash::point("relay.delete.before");
        if let Err(error) = self.publisher.published(published).await {
            tracing::warn!(%error, service = self.publisher.service(), "will be delivered again");
            return false;
        }
        true
    }

    /// Events of one aggregate, in order, to every consumer. Stops at the first that some consumer
    /// could not take; answers those that all have taken.
    async fn deliver_key(&self, key: Uuid, events: Vec<Envelope>) -> (Uuid, Vec<Uuid>, bool) {
        let mut done = Vec::with_capacity(events.len());
        for event in events {
            let deliveries = self.subscriptions.iter().map(|s| self.deliver(s, &event));
            if join_all(deliveries).await.into_iter().all(|delivered| delivered) {
                done.push(event.id);
            } else {
                return (key, done, false);
            }
        }
        (key, done, true)
    }

    async fn deliver(&self, subscription: &Subscription, event: &Envelope) -> bool {
        let consumer = subscription.consumer.name;
        let outcome = if self.ward.holds(consumer, event.aggregate_id) {
            self.behind_parked(subscription, event).await
        } else {
            let context = context_of(&subscription.executor, event);
            let handling = subscription.consumer.handler.handle(&context, event);
            // A handler that panics is a poison of its key, not the end of the relay.
            let caught = AssertUnwindSafe(handling).catch_unwind().await;
            caught.unwrap_or_else(|_| Err(HandleError::new("the handler panicked")))
        };
        let Err(error) = outcome else { return true };
        tracing::warn!(consumer, event = %event.id, event_type = event.event_type, %error, "not handled");
        if !self.ward.failed(consumer, event.id, &error) {
            return false;
        }
        self.ward.park(subscription, event, &error.message).await.is_ok()
    }

    /// The key is parked: this event queues up behind, unless an operator has freed the key.
    async fn behind_parked(
        &self,
        subscription: &Subscription,
        event: &Envelope,
    ) -> Result<(), HandleError> {
        let name = subscription.consumer.name;
        let parked = subscription.executor.store().parked(Some(name)).await?;
        if parked.iter().any(|parked| parked.envelope.aggregate_id == event.aggregate_id) {
            self.ward.park(subscription, event, "waits behind a parked event").await?;
            return Ok(());
        }
        let context = context_of(&subscription.executor, event);
        subscription.consumer.handler.handle(&context, event).await
    }
}
