//! What an operator says about RabbitMQ, and the names of what is made there.

use std::fmt;
use std::time::Duration;

use lapin::uri::AMQPUri;

use crate::bus::broker::BrokerError;
use crate::config::Secret;

/// A peer that says nothing for two of these is gone.
const HEARTBEAT_SECONDS: u16 = 5;
const CONNECT_LIMIT_MS: u64 = 5_000;

/// Where RabbitMQ is and how its queues are made.
#[derive(Clone)]
pub struct RabbitMqConfig {
    /// `amqp://user:password@host:port/vhost`, or `amqps://` for TLS. `%2f` is the usual vhost.
    pub url: String,
    /// Begins the name of every exchange and queue: shops may share a server.
    pub prefix: String,
    /// Queues of each consumer and source. Fixed when the exchange is made: another number would
    /// move aggregates to other queues and so break their order.
    pub partitions: u32,
    /// How many events of a partition are with a process at once.
    pub prefetch: u16,
    /// How long the stream keeps events for consumers that are new. Fixed when it is made.
    pub log_age: Duration,
    /// How much it keeps at most. Fixed when it is made.
    pub log_bytes: u64,
    /// A publish that is not confirmed after this has failed.
    pub publish_limit: Duration,
    /// Certificates of authorities, PEM. Without it, Mozilla's are trusted.
    pub ca_pem: Option<String>,
    /// Our certificate, PEM, and its key, for a server that asks for one.
    pub identity: Option<(String, Secret)>,
}

impl RabbitMqConfig {
    pub fn new(url: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: prefix.into(),
            partitions: 16,
            prefetch: 64,
            log_age: Duration::from_hours(24 * 7),
            log_bytes: 8 << 30,
            publish_limit: Duration::from_secs(10),
            ca_pem: None,
            identity: None,
        }
    }

    /// Which setting cannot work, and what it may be.
    pub fn check(&self) -> Result<AMQPUri, BrokerError> {
        // The reason may quote the address, and the address holds a password.
        let mut uri: AMQPUri = self.url.parse().map_err(|_| {
            BrokerError(
                "rabbitmq: broker.url cannot be read; give it as amqp://user:password@host:port/vhost, \
                 with what is special in it percent-encoded"
                    .to_owned(),
            )
        })?;
        crate::bus::names::check("rabbitmq", &self.prefix, self.partitions)?;
        if self.prefetch == 0 {
            return Err(BrokerError("rabbitmq: prefetch is 0; give at least 1".to_owned()));
        }
        let hour = Duration::from_hours(1);
        if self.log_age < hour || self.log_bytes < 1 << 20 {
            return Err(BrokerError(format!(
                "rabbitmq: log_age is {:?} and log_bytes is {}; they are at least an hour and 1 MiB",
                self.log_age, self.log_bytes
            )));
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        uri.query.connection_timeout.get_or_insert(CONNECT_LIMIT_MS);
        Ok(uri)
    }

    /// The exchange of a service's events.
    pub(super) fn exchange(&self, service: &str) -> String {
        format!("{}.{service}", self.prefix)
    }

    /// The stream of a service's events.
    pub(super) fn log(&self, service: &str) -> String {
        format!("{}.{service}.log", self.prefix)
    }

    pub(super) fn queue(&self, consumer: &str, source: &str, partition: u32) -> String {
        format!("{}.{consumer}.{source}.{partition}", self.prefix)
    }

    /// A queue that holds one message once the consumer has done what was published before its
    /// queues were made.
    pub(super) fn began(&self, consumer: &str, source: &str) -> String {
        format!("{}.{consumer}.{source}.began", self.prefix)
    }

    /// A queue that never holds anything. Every process of the consumer listens to it, and so they
    /// are counted.
    pub(super) fn members(&self, consumer: &str, source: &str) -> String {
        format!("{}.{consumer}.{source}.members", self.prefix)
    }

    /// Exchange and queue of messages that are no events.
    pub(super) fn dead_letters(&self) -> String {
        format!("{}.dead", self.prefix)
    }
}

/// Without the address: it holds a password.
impl fmt::Debug for RabbitMqConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RabbitMqConfig({}, {})", self.prefix, self.partitions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut RabbitMqConfig)) -> String {
        let mut config = RabbitMqConfig::new("amqp://shop:hunter2@rabbit:5672/%2f", "shop");
        change(&mut config);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_name_and_without_the_password() {
        let good = RabbitMqConfig::new("amqp://shop:hunter2@rabbit:5672/%2f", "shop");
        assert_eq!(good.check().unwrap().vhost, "/");
        assert!(!format!("{good:?}").contains("hunter2"));
        let told = refusal(|c| c.url = "http://shop:hunter2@rabbit".to_owned());
        assert!(told.contains("url") && !told.contains("hunter2"), "{told}");
        assert!(refusal(|c| c.url = "rabbit".to_owned()).contains("url"));
        assert!(refusal(|c| c.prefix = "a.b".to_owned()).contains("a.b"));
        assert!(refusal(|c| c.partitions = 1000).contains("1000"));
        assert!(refusal(|c| c.prefetch = 0).contains("prefetch"));
        assert!(refusal(|c| c.log_age = Duration::ZERO).contains("log_age"));
    }

    #[test]
    fn a_dead_peer_is_found_unless_the_address_says_otherwise() {
        let heartbeat =
            |url: &str| RabbitMqConfig::new(url, "shop").check().unwrap().query.heartbeat.unwrap();
        assert_eq!(heartbeat("amqp://rabbit"), HEARTBEAT_SECONDS);
        assert_eq!(heartbeat("amqp://rabbit?heartbeat=30"), 30);
    }
}
