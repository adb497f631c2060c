//! Translations to and from the world: REST, gRPC, events, tables, inventory, projections.

pub mod events;
pub mod grpc;
pub mod http;
pub mod queries;
pub mod stock;
mod store;
