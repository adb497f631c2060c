//! The bus inside one process: a relay per service hands each committed event to every consumer of
//! that service; when all have committed, the row is deleted.

use std::sync::Arc;

use kernel::Timestamp;

use super::Subscription;
use super::delivery::Delivery;
use super::poison::Ward;
use super::relay::Relay;
use super::tenure::Tenure;
use crate::env::Env;
use crate::executor::Executor;
use crate::shutdown::Shutdown;

/// Connects publishers to subscriptions.
pub struct LocalBus {
    env: Env,
    publishers: Vec<Executor>,
    subscriptions: Vec<Subscription>,
}

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
            let subscriptions = self.subscriptions.iter().filter(interested).cloned().collect();
            let tenure = Tenure::of(publisher);
            let delivery = Arc::new(Delivery {
                publisher: Some(publisher.clone()),
                tenure: tenure.clone(),
                subscriptions,
                ward: Arc::new(Ward::default()),
            });
            self.env.spawn("leases", tenure.clone().keep(publisher.clone(), shutdown.clone()));
            let relay = Relay::new(self.env.clone(), publisher.clone(), delivery.clone(), tenure);
            let shutdown = shutdown.clone();
            self.env.spawn("relay", async move {
                delivery.load_parked().await;
                relay.run(shutdown).await;
            });
        }
    }

    /// True while an event from before `time` waits anywhere.
    pub async fn has_backlog_before(&self, time: Timestamp) -> bool {
        self.any_waits(|at| at < time).await
    }

    /// True when no event waits anywhere: for tests that wait for quiet.
    pub async fn is_quiet(&self) -> bool {
        !self.any_waits(|_| true).await
    }

    /// An outbox that cannot be read counts as waiting.
    async fn any_waits(&self, matters: impl Fn(Timestamp) -> bool) -> bool {
        for publisher in &self.publishers {
            if publisher.settle().await.is_err() {
                return true;
            }
            match publisher.store().outbox(1).await {
                Ok(events) if events.first().is_none_or(|event| !matters(event.time)) => {}
                _ => return true,
            }
        }
        false
    }
}
