//! What an operator says about Kafka, and what librdkafka is told.

use std::fmt;
use std::time::Duration;

use rdkafka::ClientConfig;

use crate::bus::broker::BrokerError;

/// On these rests that nothing is lost and that order holds; nobody sets them but us.
const OURS: [&str; 11] = [
    "acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "group.id",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "request.required.acks",
    "transactional.id",
];

/// Where Kafka is and how its topics are made.
#[derive(Clone)]
pub struct KafkaConfig {
    /// `host:port` of some brokers, separated by commas. The others are learnt from them.
    pub brokers: String,
    /// Begins the name of every topic and group: shops may share a cluster.
    pub prefix: String,
    /// Of each topic of events. Fixed when the topic is made: another number would move aggregates
    /// to other partitions and so break their order.
    pub partitions: u32,
    /// Copies of a new topic; `None` leaves it to the cluster (`default.replication.factor`).
    pub replication: Option<u16>,
    /// How long a new topic keeps events (`retention.ms`). A consumer that is away for longer
    /// loses some, so it is long.
    pub retention: Duration,
    /// A publish that is not confirmed after this has failed.
    pub publish_limit: Duration,
    /// A process that is silent for this long loses its partitions to the others of its group.
    pub session_limit: Duration,
    /// A name that only this process has, and has again when it is started again: its partitions
    /// then wait for it (static membership) instead of moving to others and back.
    pub instance: Option<String>,
    /// Further properties of librdkafka: `security.protocol`, `ssl.ca.location`, `sasl.password` ….
    /// They win over ours, except those on which it rests that nothing is lost.
    pub properties: Vec<(String, String)>,
}

impl KafkaConfig {
    pub fn new(brokers: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            prefix: prefix.into(),
            partitions: 16,
            replication: None,
            retention: Duration::from_hours(24 * 30),
            publish_limit: Duration::from_secs(10),
            session_limit: Duration::from_secs(8),
            instance: None,
            properties: Vec::new(),
        }
    }

    /// Which setting cannot work, and what it may be.
    pub fn check(&self) -> Result<(), BrokerError> {
        let listed = self.brokers.split(',').all(|broker| {
            let port = broker.trim().rsplit_once(':');
            port.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        });
        if !listed {
            return Err(BrokerError(format!(
                "kafka: broker.servers is {:?}; give host:port, several with commas between",
                self.brokers
            )));
        }
        crate::bus::names::check("kafka", &self.prefix, self.partitions)?;
        let (publish, session) = (self.publish_limit, self.session_limit);
        if publish < Duration::from_millis(100) || session < Duration::from_secs(1) {
            return Err(BrokerError(format!(
                "kafka: publish_limit is {publish:?} and session_limit is {session:?}; they are at \
                 least 100 ms and 1 s"
            )));
        }
        let ours = self.properties.iter().find(|(name, _)| OURS.contains(&name.as_str()));
        if let Some((name, _)) = ours {
            return Err(BrokerError(format!(
                "kafka: property {name} cannot be set: that nothing is lost rests on it"
            )));
        }
        let speaks_tls = |(name, value): &&(String, String)| {
            name == "security.protocol" && value.to_ascii_lowercase().contains("ssl")
        };
        if !cfg!(feature = "kafka-ssl") && self.properties.iter().any(|p| speaks_tls(&p)) {
            return Err(BrokerError(
                "kafka: TLS is asked for, and this build has none for Kafka; build it with the \
                 feature kafka-ssl"
                    .to_owned(),
            ));
        }
        // Asked of the client itself, which knows them all.
        let known = self.finish(ClientConfig::new()).create_native_config();
        known
            .map(drop)
            .map_err(|error| BrokerError(format!("kafka: broker.properties: {error}")))?;
        Ok(())
    }

    /// The topic of a service's events.
    pub(super) fn events(&self, service: &str) -> String {
        format!("{}.{service}.events", self.prefix)
    }

    /// The topic of messages that are no events.
    pub(super) fn dead_letters(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// One group for each consumer and source, so that a rebalance of one leaves the other alone.
    pub(super) fn group(&self, consumer: &str, source: &str) -> String {
        format!("{}.{consumer}.{source}", self.prefix)
    }

    /// What every client is told.
    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "mercat")
            .set("socket.keepalive.enable", "true")
            .set("socket.nagle.disable", "true")
            .set("socket.timeout.ms", "6000")
            .set("socket.connection.setup.timeout.ms", "5000")
            .set("reconnect.backoff.ms", "100")
            .set("reconnect.backoff.max.ms", "1000")
            .set("topic.metadata.refresh.fast.interval.ms", "250")
            .set("allow.auto.create.topics", "false")
            .set("log.connection.close", "false");
        config
    }

    pub(super) fn finish(&self, mut config: ClientConfig) -> ClientConfig {
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config
    }

    /// `acks=all` and no duplicates by the client's own retries.
    pub(super) fn producer(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "1")
            .set("message.timeout.ms", self.publish_limit.as_millis().to_string())
            .set("request.timeout.ms", "5000")
            .set("queue.buffering.max.messages", "50000")
            .set("queue.buffering.max.kbytes", "65536")
            .set("compression.type", "none");
        self.finish(config)
    }

    /// A member of `group`. Offsets are stored when the effect is committed, and what is stored is
    /// committed soon after, on leaving, and before partitions go to another member.
    pub(super) fn member(&self, group: &str) -> ClientConfig {
        let mut config = self.client();
        let session = self.session_limit.as_millis();
        config
            .set("group.id", group)
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", session.to_string())
            .set("heartbeat.interval.ms", (session / 4).to_string())
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.offset.store", "false")
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "500")
            // What waits inside the client is bounded, and little.
            .set("queued.min.messages", "500")
            .set("queued.max.messages.kbytes", "8192")
            .set("fetch.queue.backoff.ms", "20")
            .set("fetch.error.backoff.ms", "200");
        if let Some(instance) = &self.instance {
            config.set("group.instance.id", instance);
        }
        self.finish(config)
    }
}

/// Without the properties' values: a password may be among them.
impl fmt::Debug for KafkaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KafkaConfig({}, {}, {})", self.brokers, self.prefix, self.partitions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut KafkaConfig)) -> String {
        let mut config = KafkaConfig::new("kafka:9092", "shop");
        change(&mut config);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
        assert!(KafkaConfig::new("a:9092, b:9092", "shop").check().is_ok());
        assert!(refusal(|c| c.brokers = "kafka".to_owned()).contains("host:port"));
        assert!(refusal(|c| c.brokers = String::new()).contains("host:port"));
        assert!(refusal(|c| c.prefix = "My Shop".to_owned()).contains("My Shop"));
        assert!(refusal(|c| c.partitions = 0).contains("partitions"));
        let acks = vec![("acks".to_owned(), "0".to_owned())];
        assert!(refusal(|c| c.properties = acks).contains("acks"));
        assert!(refusal(|c| c.session_limit = Duration::ZERO).contains("session_limit"));
    }

    #[test]
    fn no_property_is_ever_shown() {
        let mut config = KafkaConfig::new("kafka:9092", "shop");
        config.properties = vec![("sasl.password".to_owned(), "hunter2".to_owned())];
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
