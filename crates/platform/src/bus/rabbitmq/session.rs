//! The task behind a consumer: connects, reads, acknowledges, and begins again when that breaks.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;

use super::inbound::Shared;
use super::link::{FIRST_PAUSE, LONGEST_PAUSE, SharedLink};
use super::live::{Ended, Live};
use crate::bus::broker::{BrokerError, Incoming};

/// Connecting, and verifying the topology.
pub(super) const OPEN_LIMIT: Duration = Duration::from_secs(30);

pub(super) struct Session {
    pub link: SharedLink,
    pub consumer: &'static str,
    pub source: &'static str,
    pub shared: Arc<Shared>,
    pub deliver: mpsc::UnboundedSender<(u64, Incoming)>,
}

impl Session {
    /// Until the consumer is dropped.
    pub(super) async fn run(self, mut done: mpsc::UnboundedReceiver<u64>) {
        let mut pause = FIRST_PAUSE;
        let mut outage = false;
        loop {
            let connection = self.shared.connection.load(Ordering::Acquire);
            let opening = self.link.env.timeout(OPEN_LIMIT, Live::open(&self, connection)).await;
            let opened = opening.unwrap_or_else(|| {
                Err(self.link.failed(self.consumer, &"the server does not answer in time"))
            });
            let error = match opened {
                Ok(mut live) => {
                    self.shared.reads.notify_one();
                    if outage {
                        tracing::info!(consumer = self.consumer, "rabbitmq is reached again");
                    }
                    (pause, outage) = (FIRST_PAUSE, false);
                    match live.run(&mut done).await {
                        Ended::Dropped => return live.close().await,
                        Ended::Lost(error) => error,
                    }
                }
                Err(error) => error,
            };
            self.shared.connection.fetch_add(1, Ordering::AcqRel);
            self.shared.open.store(0, Ordering::Relaxed);
            self.tell(&error, outage);
            outage = true;
            if self.is_dropped_within(pause, &mut done).await {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn tell(&self, error: &BrokerError, known: bool) {
        let consumer = self.consumer;
        if known {
            tracing::debug!(consumer, %error, "rabbitmq is still away");
        } else {
            tracing::warn!(consumer, %error, "rabbitmq is lost; it is tried again until it is back");
        }
    }

    /// Waits. What is done meanwhile belongs to a connection that is gone.
    async fn is_dropped_within(
        &self,
        pause: Duration,
        done: &mut mpsc::UnboundedReceiver<u64>,
    ) -> bool {
        let dropped = async { while done.recv().await.is_some() {} };
        self.link.env.timeout(pause, dropped).await.is_some()
    }
}
