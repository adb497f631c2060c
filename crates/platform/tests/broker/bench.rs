//! A broker of the test machine, and a shop's prefix of its own on it for each test.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use kernel::id::Uuid;
use platform::bus::broker::{Broker, BrokerError, Inbound, Incoming};
use platform::bus::kafka::{Kafka, KafkaConfig};
use platform::bus::rabbitmq::{RabbitMq, RabbitMqConfig};
use platform::env::Env;
use platform::event::Envelope;
use platform::testing::servers::{KAFKA, RABBITMQ, told_or_skipped};

use crate::raw::Raw;

/// Long enough for a group to notice a member that went away without a word.
pub const LIMIT: Duration = Duration::from_mins(1);
pub const PARTITIONS: u32 = 4;
pub const SOURCE: &str = "ordering";
pub const CONSUMER: &str = "inventory.orders";

pub struct Bench {
    pub env: Env,
    pub raw: Raw,
    /// Where the broker is: bootstrap servers, or a URL.
    pub address: String,
    pub prefix: String,
}

pub async fn on_kafka(test: impl AsyncFnOnce(&Bench)) {
    let Some([address]) = told_or_skipped([KAFKA]) else { return };
    let raw = Raw::kafka(&address);
    run(address, raw, test).await;
}

pub async fn on_rabbitmq(test: impl AsyncFnOnce(&Bench)) {
    let Some([address]) = told_or_skipped([RABBITMQ]) else { return };
    let raw = Raw::rabbitmq(&address);
    run(address, raw, test).await;
}

/// What the adapters log is shown with a test that fails.
fn show_logs() {
    let logs = tracing_subscriber::fmt().with_test_writer().with_env_filter("info");
    // Other tests of this process may have been first.
    let _ = logs.try_init();
}

/// Takes the topology away afterwards, whatever became of the test.
async fn run(address: String, raw: Raw, test: impl AsyncFnOnce(&Bench)) {
    show_logs();
    let env = Env::system();
    let prefix = format!("test-{}", env.uuid().simple());
    let bench = Bench { env, raw, address, prefix };
    let outcome = AssertUnwindSafe(test(&bench)).catch_unwind().await;
    bench.raw.clean_up(&bench.prefix).await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

impl Bench {
    pub fn broker(&self) -> Arc<dyn Broker> {
        self.broker_at(&self.address, PARTITIONS).unwrap()
    }

    /// As a process of its own would make it.
    pub fn broker_at(
        &self,
        address: &str,
        partitions: u32,
    ) -> Result<Arc<dyn Broker>, BrokerError> {
        let publish_limit = Duration::from_secs(3);
        match self.raw {
            Raw::Kafka(_) => {
                let config = KafkaConfig { partitions, publish_limit, ..self.kafka(address) };
                Kafka::new(&self.env, config)
            }
            Raw::RabbitMq(_) => {
                let config = RabbitMqConfig::new(address, &self.prefix);
                RabbitMq::new(&self.env, RabbitMqConfig { partitions, publish_limit, ..config })
            }
        }
    }

    fn kafka(&self, address: &str) -> KafkaConfig {
        // The least that the server allows.
        let session_limit = Duration::from_secs(6);
        let properties = vec![("max.poll.interval.ms".to_owned(), "6000".to_owned())];
        KafkaConfig { session_limit, properties, ..KafkaConfig::new(address, &self.prefix) }
    }

    /// A process that Kafka knows again.
    pub fn kafka_as(&self, instance: &str) -> Arc<dyn Broker> {
        let instance = Some(instance.to_owned());
        let config = self.kafka(&self.address);
        Kafka::new(&self.env, KafkaConfig { partitions: PARTITIONS, instance, ..config }).unwrap()
    }

    pub fn event(&self, aggregate_id: Uuid, aggregate_version: u64) -> Envelope {
        Envelope {
            id: self.env.uuid(),
            event_type: "mercat.ordering.OrderPlaced.v1".to_owned(),
            source: SOURCE.to_owned(),
            aggregate_type: "order".to_owned(),
            aggregate_id,
            aggregate_version,
            time: self.env.now(),
            correlation: "test".into(),
            causation: None,
            traceparent: None,
            data: aggregate_version.to_be_bytes().to_vec(),
            passed_over: 0,
        }
    }

    /// Publishes version 1 of as many aggregates, one after another.
    pub async fn publish(&self, broker: &Arc<dyn Broker>, count: usize) -> Vec<Envelope> {
        let publisher = broker.publisher(SOURCE).await.unwrap();
        let events: Vec<_> = (0..count).map(|_| self.event(self.env.uuid(), 1)).collect();
        for event in &events {
            publisher.publish(event).await.unwrap();
        }
        events
    }

    /// The next event, which must come.
    pub async fn next(&self, inbound: &mut Box<dyn Inbound>) -> Incoming {
        let next = self.env.timeout(LIMIT, inbound.next()).await;
        next.expect("an event that was published did not come")
    }

    pub async fn take(&self, inbound: &mut Box<dyn Inbound>, count: usize) -> Vec<Incoming> {
        let mut taken = Vec::new();
        while taken.len() < count {
            taken.push(self.next(inbound).await);
        }
        taken
    }

    /// Waits until the broker counts `wanted` events that are not done.
    pub async fn lag_is(&self, inbound: &mut Box<dyn Inbound>, wanted: u64) {
        let mut counted = None;
        let reached = self.env.timeout(LIMIT, async {
            while counted != Some(wanted) {
                counted = inbound.lag().await.ok();
            }
        });
        let reached = reached.await.is_some();
        assert!(reached, "{counted:?} events wait, and not {wanted}");
    }
}
