//! What the bus needs of a message broker. Adapters move envelopes; order of keys, inbox, retries
//! and parking are the bus's own.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use crate::event::Envelope;

/// What failed, what was given, what to do. Never holds a password.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct BrokerError(pub String);

/// A message broker, reached whenever something is asked of it. Making one needs no broker that
/// answers; connections that break come back by themselves.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// Creates or verifies what publishing events of `service` needs (a topic, an exchange), then
    /// publishes there. Idempotent. A topology that exists with other settings (partition count,
    /// queue type) is an error that names both.
    async fn publisher(&self, service: &'static str) -> Result<Arc<dyn Publisher>, BrokerError>;

    /// Creates or verifies what the consumer needs, and joins: partitions are shared among all
    /// processes that subscribe under the same consumer name; a new consumer begins with the
    /// oldest event kept.
    async fn subscribe(
        &self,
        consumer: &'static str,
        source: &'static str,
    ) -> Result<Box<dyn Inbound>, BrokerError>;
}

/// Sends the events of one service.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Resolves once the broker holds the event durably. After an error it may or may not be held.
    /// Events of one aggregate are handed over one after another, those of different aggregates at
    /// the same time.
    async fn publish(&self, event: &Envelope) -> Result<(), BrokerError>;
}

/// An event and what it is acknowledged by.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Means something to the [`Inbound`] that gave it, and to no other.
    pub token: u64,
    pub envelope: Arc<Envelope>,
}

/// The events of one service to one consumer. Dropping it leaves: what was not done comes again, to
/// whoever shares the consumer's name.
#[async_trait]
pub trait Inbound: Send {
    /// The next event; pends while there is none or the broker is away (it reconnects by itself
    /// with growing pauses and logs once an outage). Events of one partition come in the order in
    /// which the broker holds them; after a lost connection those not done come again. Cancel safe.
    async fn next(&mut self) -> Incoming;

    /// The effect of the event is committed. In any order: the adapter acknowledges what it may.
    /// The token of a partition or connection that was lost meanwhile means nothing.
    fn done(&mut self, token: u64);

    /// How many events the broker holds for this consumer that are not acknowledged, whichever
    /// process they are with. For metrics: a moment's estimate. The answer may take its time; it
    /// holds on to nothing, so that events go on meanwhile.
    fn lag(&mut self) -> BoxFuture<'static, Result<u64, BrokerError>>;
}
