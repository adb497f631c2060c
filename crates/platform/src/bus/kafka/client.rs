//! What librdkafka tells about itself, and what it is told to be silent about.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

use crate::env::Clock;

/// After this long without a complaint the next one is a new outage.
const QUIET: Duration = Duration::from_secs(30);

/// Logs an outage once, however often the client complains.
pub(super) struct Outage {
    /// Whose: a group, or the producer.
    who: String,
    clock: Arc<dyn Clock>,
    /// When the client complained last; `None` while all is well.
    complained: Mutex<Option<Duration>>,
}

impl Outage {
    pub(super) fn new(who: impl Into<String>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { who: who.into(), clock, complained: Mutex::new(None) })
    }

    pub(super) fn complain(&self, error: &KafkaError, reason: &str) {
        let now = self.clock.monotonic();
        let mut complained = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        let known = complained.is_some_and(|last| now.saturating_sub(last) < QUIET);
        *complained = Some(now);
        drop(complained);
        if known {
            tracing::debug!(who = self.who, %error, reason, "kafka still complains");
        } else {
            tracing::warn!(who = self.who, %error, reason, "kafka: it is tried again until it works");
        }
    }

    pub(super) fn works(&self) {
        let mut complained = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if complained.take().is_some() {
            tracing::info!(who = self.who, "kafka works again");
        }
    }
}

/// The part of a client's context that both kinds share.
#[derive(Clone)]
pub(super) struct Told(pub Arc<Outage>);

impl ClientContext for Told {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", ?level, facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.complain(&error, reason);
    }
}
