//! The bus inside one process: a relay per service hands each committed event to every consumer of
//! that service; when all have committed, the row is deleted.

use std::sync::Arc;

use kernel::Timestamp;

use super::poison::Ward;
use super::relay::Relay;
use crate::env::Env;
use crate::event::Consumer;
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
            let relay = Relay::new(
                self.env.clone(),
                publisher.clone(),
                subscriptions,
                Arc::new(Ward::default()),
            );
            self.env.spawn("relay", relay.run(shutdown.clone()));
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
