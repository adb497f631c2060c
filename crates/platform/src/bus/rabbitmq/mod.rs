//! RabbitMQ as the broker (ADR 10): a direct exchange a service, and for each consumer a quorum queue
//! a partition with one active reader.
//!
//! A stream beside the queues keeps what was published, so that a consumer that is new begins with
//! the oldest event and an event that nobody reads yet is not lost. Nothing above this folder knows
//! an exchange, a queue or a channel.

mod beginning;
mod inbound;
mod link;
mod live;
mod mail;
mod outlet;
mod session;
mod settings;
mod sharing;
mod topology;

use std::sync::Arc;

use async_trait::async_trait;

use super::broker::{Broker, BrokerError, Inbound, Publisher};
use crate::env::Env;
use link::Link;
use outlet::Outlet;

pub use settings::RabbitMqConfig;

/// The exchanges and queues of a shop on a RabbitMQ server.
pub struct RabbitMq {
    link: Arc<Link>,
}

impl RabbitMq {
    /// Checks the settings. The server need not be up.
    #[expect(clippy::new_ret_no_self, reason = "the port is what it is made for")]
    pub fn new(env: &Env, config: RabbitMqConfig) -> Result<Arc<dyn Broker>, BrokerError> {
        let uri = config.check()?;
        Ok(Arc::new(Self { link: Arc::new(Link::new(env, config, uri)) }))
    }
}

#[async_trait]
impl Broker for RabbitMq {
    async fn publisher(&self, service: &'static str) -> Result<Arc<dyn Publisher>, BrokerError> {
        let outlet = Outlet::new(self.link.clone(), service);
        outlet.open().await?;
        Ok(Arc::new(outlet))
    }

    async fn subscribe(
        &self,
        consumer: &'static str,
        source: &'static str,
    ) -> Result<Box<dyn Inbound>, BrokerError> {
        let channel = self.link.channel().await?;
        topology::ensure_consumer(&self.link, &channel, consumer, source).await?;
        Ok(Box::new(inbound::open(&self.link, consumer, source).await?))
    }
}
