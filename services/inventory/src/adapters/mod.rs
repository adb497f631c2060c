//! Where inventory meets the world: its tables, its contract, the events it hears, its REST routes,
//! and the orders that it asks for.
//! Translation only; a rule in here is in the wrong place.

pub mod events;
pub mod grpc;
pub mod http;
pub mod orders;
pub mod store;
