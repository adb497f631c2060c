//! Where inventory meets the world: its tables, its contract, the events it hears, its REST routes.
//! Translation only; a rule in here is in the wrong place.

pub mod events;
pub mod grpc;
pub mod http;
pub mod store;
