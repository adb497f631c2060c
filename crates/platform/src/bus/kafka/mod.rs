//! Kafka as the broker (ADR 9): a topic a service, one partition for each of the bus's, a consumer
//! group for each consumer and source.
//!
//! librdkafka has threads of its own. Nothing above this folder knows a topic, a group or an offset.

mod client;
mod inbound;
mod ledger;
mod mail;
mod member;
mod outlet;
mod settings;
mod topology;

use std::sync::Arc;

use async_trait::async_trait;

use super::broker::{Broker, BrokerError, Inbound, Publisher};
use crate::env::Env;
use crate::event::Envelope;
use outlet::Outlet;

pub use settings::KafkaConfig;

/// The topics of a shop on a Kafka cluster.
pub struct Kafka {
    env: Env,
    config: Arc<KafkaConfig>,
    outlet: Arc<Outlet>,
}

impl Kafka {
    /// Checks the settings. The brokers need not be up.
    #[expect(clippy::new_ret_no_self, reason = "the port is what it is made for")]
    pub fn new(env: &Env, config: KafkaConfig) -> Result<Arc<dyn Broker>, BrokerError> {
        config.check()?;
        let outlet = Arc::new(Outlet::new(env, &config)?);
        Ok(Arc::new(Self { env: env.clone(), config: Arc::new(config), outlet }))
    }
}

#[async_trait]
impl Broker for Kafka {
    async fn publisher(&self, service: &'static str) -> Result<Arc<dyn Publisher>, BrokerError> {
        let topic = self.config.events(service);
        topology::ensure_events(&self.env, &self.config, &topic).await?;
        let partitions = self.config.partitions;
        Ok(Arc::new(Topic { outlet: self.outlet.clone(), name: topic, partitions }))
    }

    async fn subscribe(
        &self,
        consumer: &'static str,
        source: &'static str,
    ) -> Result<Box<dyn Inbound>, BrokerError> {
        topology::ensure_events(&self.env, &self.config, &self.config.events(source)).await?;
        topology::ensure_dead_letters(&self.env, &self.config).await?;
        let inbound =
            inbound::open(&self.env, self.config.clone(), self.outlet.clone(), consumer, source)?;
        Ok(Box::new(inbound))
    }
}

/// Where the events of a service go.
struct Topic {
    outlet: Arc<Outlet>,
    name: String,
    partitions: u32,
}

#[async_trait]
impl Publisher for Topic {
    async fn publish(&self, event: &Envelope) -> Result<(), BrokerError> {
        self.outlet.send(mail::of_event(event, &self.name, self.partitions)).await
    }
}
