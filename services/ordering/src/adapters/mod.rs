//! Between ordering and the world: tables, REST, gRPC, events, and the three services it asks.

pub mod catalog;
pub mod events;
pub mod gauge;
pub mod grpc;
pub mod http;
pub mod inventory;
pub mod payment;
pub mod store;
