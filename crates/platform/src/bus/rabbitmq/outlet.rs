//! The events of a service on their way to its exchange.

use async_trait::async_trait;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation};
use tokio::sync::Mutex;

use super::link::SharedLink;
use super::{mail, topology};
use crate::bus::broker::{BrokerError, Publisher};
use crate::event::Envelope;

pub(super) struct Outlet {
    link: SharedLink,
    service: &'static str,
    exchange: String,
    /// With confirmations. None until it is needed, and after anything went wrong on it.
    channel: Mutex<Option<Channel>>,
}

impl Outlet {
    pub(super) fn new(link: SharedLink, service: &'static str) -> Self {
        let exchange = link.config.exchange(service);
        Self { link, service, exchange, channel: Mutex::default() }
    }

    /// The channel that all publishes share. The topology is verified with each new one: the server
    /// may have been set up again meanwhile.
    pub(super) async fn open(&self) -> Result<Channel, BrokerError> {
        let mut current = self.channel.lock().await;
        if let Some(channel) = &*current
            && channel.status().connected()
        {
            return Ok(channel.clone());
        }
        *current = None;
        let channel = self.link.channel().await?;
        topology::ensure_source(&self.link, &channel, self.service).await?;
        confirm(&self.link, &channel).await?;
        *current = Some(channel.clone());
        Ok(channel)
    }

    /// A confirmation that comes later must not be taken for another's.
    async fn give_up(&self, channel: &Channel) {
        let mut current = self.channel.lock().await;
        if current.as_ref().is_some_and(|open| open.id() == channel.id()) {
            *current = None;
        }
    }
}

#[async_trait]
impl Publisher for Outlet {
    async fn publish(&self, event: &Envelope) -> Result<(), BrokerError> {
        let channel = self.open().await?;
        let key = event.partition(self.link.config.partitions).to_string();
        let properties = mail::of_event(event);
        let outcome =
            send(&self.link, &channel, &self.exchange, &key, &event.data, properties).await;
        if outcome.is_err() {
            self.give_up(&channel).await;
        }
        outcome
    }
}

pub(super) async fn confirm(
    link: &super::link::Link,
    channel: &Channel,
) -> Result<(), BrokerError> {
    let selecting = channel.confirm_select(ConfirmSelectOptions::default());
    match link.env.timeout(link.config.publish_limit, selecting).await {
        Some(selected) => selected.map_err(|error| link.failed("confirmations", &error)),
        None => Err(link.failed("confirmations", &"no answer in time")),
    }
}

/// Resolves once every queue that the message is routed to holds it; a message that is routed to
/// none is an error.
pub(super) async fn send(
    link: &super::link::Link,
    channel: &Channel,
    exchange: &str,
    key: &str,
    data: &[u8],
    properties: lapin::BasicProperties,
) -> Result<(), BrokerError> {
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let sending = async {
        channel.basic_publish(exchange.into(), key.into(), options, data, properties).await?.await
    };
    let what = if exchange.is_empty() { key } else { exchange };
    match link.env.timeout(link.config.publish_limit, sending).await {
        Some(Ok(Confirmation::Ack(None))) => Ok(()),
        Some(Ok(Confirmation::Ack(Some(_)))) => {
            Err(link.failed(what, &"no queue takes the message: its log was removed"))
        }
        Some(Ok(_)) => Err(link.failed(what, &"the server did not take the message")),
        Some(Err(error)) => Err(link.failed(what, &error)),
        None => Err(link.failed(what, &"no confirmation in time")),
    }
}
