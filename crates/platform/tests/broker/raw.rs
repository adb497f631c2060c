//! What tests do past the adapters: messages that no adapter would send, and a look at dead letters.

use std::time::Duration;

use kernel::Timestamp;
use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions,
    ExchangeDeleteOptions, QueueDeleteOptions,
};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::bench::{PARTITIONS, SOURCE};

const ANSWER: Duration = Duration::from_secs(20);

/// The broker's own client.
pub enum Raw {
    Kafka(ClientConfig),
    RabbitMq(String),
}

impl Raw {
    pub fn kafka(address: &str) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", address);
        Self::Kafka(config)
    }

    pub fn rabbitmq(address: &str) -> Self {
        Self::RabbitMq(address.to_owned())
    }

    /// Into a partition of the source's events, from a machine where it is `at`.
    pub async fn send(&self, prefix: &str, partition: u32, payload: &[u8], at: Timestamp) {
        let milliseconds = at.as_micros() / 1_000;
        match self {
            Self::Kafka(config) => {
                let producer: BaseProducer = config.create().unwrap();
                let topic = format!("{prefix}.{SOURCE}.events");
                let record = BaseRecord::<[u8], [u8]>::to(&topic);
                let record = record.partition(partition.cast_signed()).payload(payload);
                let record = record.timestamp(milliseconds);
                producer.send(record).map_err(|(error, _)| error).unwrap();
                producer.flush(ANSWER).unwrap();
            }
            Self::RabbitMq(address) => {
                let connection = connect(address).await;
                let channel = connection.create_channel().await.unwrap();
                channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
                let exchange = format!("{prefix}.{SOURCE}").into();
                let options = BasicPublishOptions { mandatory: true, ..Default::default() };
                let key = partition.to_string().into();
                let seconds = milliseconds.cast_unsigned() / 1_000;
                let properties = BasicProperties::default().with_timestamp(seconds);
                let sent = channel.basic_publish(exchange, key, options, payload, properties);
                assert!(sent.await.unwrap().await.unwrap().take_message().is_none());
            }
        }
    }

    /// The first dead letter: its payload, and what it says is wrong.
    pub async fn dead_letter(&self, prefix: &str) -> (Vec<u8>, String) {
        let name = format!("{prefix}.dead");
        match self {
            Self::Kafka(config) => {
                let mut config = config.clone();
                config.set("group.id", format!("{prefix}.look"));
                config.set("auto.offset.reset", "earliest");
                let consumer: BaseConsumer = config.create().unwrap();
                consumer.subscribe(&[&name]).unwrap();
                // Joining the group is a turn of its own.
                let message = (0..10).find_map(|_| consumer.poll(ANSWER)).unwrap().unwrap();
                let headers = message.headers().unwrap();
                let reason = headers.iter().find(|header| header.key == "mercat-reason").unwrap();
                let reason = String::from_utf8_lossy(reason.value.unwrap()).into_owned();
                (message.payload().unwrap().to_vec(), reason)
            }
            Self::RabbitMq(address) => {
                let connection = connect(address).await;
                let channel = connection.create_channel().await.unwrap();
                let got = channel.basic_get(name.into(), BasicGetOptions::default());
                let got = got.await.unwrap().expect("a dead letter");
                got.acker.ack(BasicAckOptions::default()).await.unwrap();
                let headers = got.properties.headers().clone().unwrap_or_default();
                let reason = &headers.inner()["mercat-reason"];
                let reason = String::from_utf8_lossy(reason.as_long_string().unwrap().as_bytes());
                (got.data.clone(), reason.into_owned())
            }
        }
    }

    /// Nothing of the test stays behind.
    pub async fn clean_up(&self, prefix: &str) {
        match self {
            Self::Kafka(config) => {
                let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
                let topics = [format!("{prefix}.{SOURCE}.events"), format!("{prefix}.dead")];
                let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
                admin.delete_topics(&topics, &AdminOptions::new()).await.unwrap();
            }
            Self::RabbitMq(address) => {
                let connection = connect(address).await;
                for queue in queues(prefix) {
                    let channel = connection.create_channel().await.unwrap();
                    let _ = channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await;
                }
                for exchange in [format!("{prefix}.{SOURCE}"), format!("{prefix}.dead")] {
                    let channel = connection.create_channel().await.unwrap();
                    let options = ExchangeDeleteOptions::default();
                    let _ = channel.exchange_delete(exchange.into(), options).await;
                }
            }
        }
    }
}

/// Those that any test here makes.
fn queues(prefix: &str) -> Vec<String> {
    let mut names = vec![format!("{prefix}.dead"), format!("{prefix}.{SOURCE}.log")];
    for consumer in crate::contract::CONSUMERS {
        let base = format!("{prefix}.{consumer}.{SOURCE}");
        names.extend(["began", "members"].map(|what| format!("{base}.{what}")));
        names.extend((0..PARTITIONS).map(|partition| format!("{base}.{partition}")));
    }
    names
}

pub async fn connect(address: &str) -> Connection {
    Connection::connect(address, ConnectionProperties::default()).await.unwrap()
}
