//! Events from the outbox to their consumers.
//!
//! [`local`] is the bus of one process: the outbox is the log, and a row goes when every consumer
//! has committed. [`brokered`] is that of a process among others: the outbox goes to a broker, and
//! from there comes what the service consumes. Both follow the same rules behind the same
//! [`crate::event::Consumer`].

pub mod broker;
pub mod brokered;
#[cfg(any(feature = "kafka", feature = "rabbitmq"))]
mod cloudevents;
mod delivery;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod local;
pub mod memory;
#[cfg(any(feature = "kafka", feature = "rabbitmq"))]
mod names;
pub mod operate;
mod poison;
mod pump;
#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;
mod relay;
mod tenure;

pub use brokered::BrokeredBus;
pub use local::LocalBus;
pub use poison::{replay, skip};

use crate::event::Consumer;
use crate::executor::Executor;

/// A consumer together with the executor of the service it belongs to.
#[derive(Clone)]
pub struct Subscription {
    pub consumer: Consumer,
    pub executor: Executor,
}
