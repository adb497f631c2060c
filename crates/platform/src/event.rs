//! Events: what happened, told to others after it was committed.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use kernel::Timestamp;
use kernel::id::Uuid;

use crate::context::Context;
use crate::executor::Executor;
use crate::store::StoreError;

pub use prost::DecodeError;

/// A message of `events.proto`. `TYPE` is `mercat.<service>.<Name>.v<n>`.
pub trait Event: prost::Message + Default {
    const TYPE: &'static str;
}

/// An event on its way (`CloudEvents` 1.0 attributes, data in protobuf).
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// `UUIDv7`.
    pub id: Uuid,
    pub event_type: String,
    /// The service that published it.
    pub source: String,
    pub aggregate_type: String,
    pub aggregate_id: Uuid,
    /// 1..n without gaps within the aggregate.
    pub aggregate_version: u64,
    pub time: Timestamp,
    pub correlation: Arc<str>,
    pub causation: Option<Uuid>,
    pub traceparent: Option<String>,
    pub data: Vec<u8>,
    /// How many events of the aggregate right before this one the delivery stands for: the
    /// consumer has no use for them and was not given them. Neither stored nor sent.
    pub passed_over: u64,
}

impl Envelope {
    /// The event, if it is an `E`; `None` when it is of another type.
    pub fn decode<E: Event>(&self) -> Option<Result<E, DecodeError>> {
        (self.event_type == E::TYPE).then(|| E::decode(self.data.as_slice()))
    }

    /// Which of `partitions` the aggregate belongs to: the same on every bus, in every version.
    pub fn partition(&self, partitions: u32) -> u32 {
        partition_of(self.aggregate_id, partitions)
    }
}

/// How many partitions the events of a service are spread over, on every bus.
pub const PARTITIONS: u32 = 16;

/// FNV-1a (64 bit) over the 16 bytes of the id, modulo the number of partitions.
pub fn partition_of(aggregate_id: Uuid, partitions: u32) -> u32 {
    let hash = aggregate_id.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash % u64::from(partitions.max(1))) as u32
}

/// Reacts to events. Delivered in order for an aggregate and at least once; the effect happens
/// exactly once, because a handler ends in exactly one [`crate::executor::Executor::consume`], which
/// checks and moves the inbox in the transaction of the effect.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    async fn handle(&self, context: &Context, envelope: &Envelope) -> Result<(), HandleError>;
}

/// A named reader of the events of some services. The name never changes: the inbox is kept by it.
#[derive(Clone)]
pub struct Consumer {
    /// `<service>.<what>`, such as `inventory.orders`.
    pub name: &'static str,
    /// The services whose events it gets.
    pub sources: &'static [&'static str],
    /// The types that its handler is given. The inbox moves past all others by itself.
    pub types: &'static [&'static str],
    pub handler: Arc<dyn Handler>,
}

impl Consumer {
    /// Hands it one event: to the handler, or past it.
    pub async fn take(
        &self,
        executor: &Executor,
        context: &Context,
        envelope: &Envelope,
    ) -> Result<(), HandleError> {
        if self.types.contains(&envelope.event_type.as_str()) {
            self.handler.handle(context, envelope).await
        } else {
            Ok(executor.consume_nothing(self.name, envelope).await?)
        }
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Consumer({} <- {:?})", self.name, self.sources)
    }
}

/// Why an event could not be handled. It is tried again; after five tries its key is parked.
#[derive(Debug)]
pub struct HandleError {
    pub message: String,
    /// The fault lies in the world, not in the event: it is tried again without being counted.
    pub transient: bool,
    /// Events before this one have not been applied; the last that was is this.
    pub(crate) gap: Option<u64>,
}

impl HandleError {
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), transient: false, gap: None }
    }

    /// Of a handler that was given a type which its consumer does not list.
    pub fn unexpected(envelope: &Envelope) -> Self {
        Self::new(format!("{} is not handled here", envelope.event_type))
    }

    pub fn transient(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), transient: true, gap: None }
    }
}

impl fmt::Display for HandleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<StoreError> for HandleError {
    fn from(error: StoreError) -> Self {
        let transient = !matches!(error, StoreError::Unique { .. } | StoreError::Corrupt(_));
        let gap = match error {
            StoreError::Gap { after } => Some(after),
            _ => None,
        };
        Self { message: error.to_string(), transient, gap }
    }
}

impl From<DecodeError> for HandleError {
    fn from(error: DecodeError) -> Self {
        Self::new(format!("the event's data cannot be decoded: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_never_move() {
        // Fixed by hand once: a change here would reorder events of live shops.
        let id = Uuid::from_u128(0x0190_6f3a_7c11_7d2e_8a55_3f6f_2b1c_9d04);
        assert_eq!(partition_of(id, 16), partition_of(id, 16));
        assert!(partition_of(id, 16) < 16);
        assert_eq!(partition_of(Uuid::nil(), 16), 5);
        assert_eq!(partition_of(id, 1), 0);
    }
}
