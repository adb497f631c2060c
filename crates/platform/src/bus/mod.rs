//! Events from the outbox to their consumers.
//!
//! [`local`] is the bus of one process: the outbox is the log, and a row goes when every consumer
//! has committed. Brokers follow the same rules behind the same [`crate::event::Consumer`].

pub mod broker;
mod delivery;
pub mod local;
mod poison;
mod relay;

pub use local::LocalBus;
pub use poison::{replay, skip};
