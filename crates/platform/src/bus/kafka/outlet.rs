//! The one producer of a process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext as _, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use tokio::sync::oneshot;

use super::client::{Outage, Told};
use super::mail::Mail;
use super::settings::KafkaConfig;
use crate::bus::broker::BrokerError;
use crate::env::Env;

/// The client gives up by itself; this is for a client that does not.
const GRACE: Duration = Duration::from_secs(5);

pub(super) struct Outlet {
    env: Env,
    config: ClientConfig,
    brokers: String,
    limit: Duration,
    outage: Arc<Outage>,
    producer: Mutex<Arc<Client>>,
}

type Client = ThreadedProducer<Reports>;
type Report = oneshot::Sender<Result<(), KafkaError>>;

impl Outlet {
    pub(super) fn new(env: &Env, config: &KafkaConfig) -> Result<Self, BrokerError> {
        let outage = Outage::new("producer", env.clock.clone());
        let client = config.producer();
        let producer = make(&client, &outage)?;
        Ok(Self {
            env: env.clone(),
            config: client,
            brokers: config.brokers.clone(),
            limit: config.publish_limit,
            outage,
            producer: Mutex::new(Arc::new(producer)),
        })
    }

    /// Resolves once all in-sync replicas hold the message.
    pub(super) async fn send(&self, mail: Mail) -> Result<(), BrokerError> {
        let topic = mail.topic.clone();
        let failed = |error: &dyn std::fmt::Display| {
            let brokers = &self.brokers;
            BrokerError(format!("kafka at {brokers}: {topic} did not take a message: {error}"))
        };
        let client = self.client();
        let report = hand_over(&client, mail).map_err(|error| failed(&error))?;
        match self.env.timeout(self.limit + GRACE, report).await {
            Some(Ok(Ok(()))) => {
                self.outage.works();
                Ok(())
            }
            Some(Ok(Err(error))) => {
                self.replace_if_broken(&client);
                Err(failed(&error))
            }
            Some(Err(_)) => Err(failed(&"the producer was closed")),
            None => Err(failed(&"no answer in time")),
        }
    }

    fn client(&self) -> Arc<Client> {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An idempotent producer that lost track of its sequence does nothing more: a new one is made.
    fn replace_if_broken(&self, client: &Arc<Client>) {
        let Some((code, reason)) = client.client().fatal_error() else { return };
        let mut current = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&current, client) {
            return;
        }
        tracing::warn!(%code, reason, "the producer of kafka is broken and made again");
        match make(&self.config, &self.outage) {
            Ok(fresh) => *current = Arc::new(fresh),
            Err(error) => tracing::error!(%error, "the producer of kafka stays broken"),
        }
    }
}

fn make(config: &ClientConfig, outage: &Arc<Outage>) -> Result<Client, BrokerError> {
    let made = Client::from_config_and_context(config, Reports(Told(outage.clone())));
    made.map_err(|error| BrokerError(format!("kafka: settings are refused: {error}")))
}

fn hand_over(
    client: &Client,
    mail: Mail,
) -> Result<oneshot::Receiver<Result<(), KafkaError>>, KafkaError> {
    let (report, receiver) = oneshot::channel();
    let mut record: BaseRecord<'_, [u8], [u8], Box<Report>> =
        BaseRecord::with_opaque_to(&mail.topic, Box::new(report))
            .payload(mail.payload.as_slice())
            .headers(mail.headers);
    if let Some(key) = &mail.key {
        record = record.key(key.as_slice());
    }
    if let Some(partition) = mail.partition {
        record = record.partition(partition);
    }
    client.send(record).map_err(|(error, _)| error)?;
    Ok(receiver)
}

/// Hands each report of delivery to whoever waits for it.
struct Reports(Told);

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Report>;

    fn delivery(&self, result: &DeliveryResult<'_>, report: Box<Report>) {
        let outcome = match result {
            Ok(_) => Ok(()),
            Err((error, _)) => Err(error.clone()),
        };
        // Whoever waited may have gone: then nobody wants to know.
        let _ = report.send(outcome);
    }
}
