//! Stock as pure, synchronous rules: what a shelf holds, what an order holds of it, and what was
//! written into the ledger. No I/O, no clock, no random number, and no crate but `kernel`.

pub mod allocation;
pub mod enrolment;
pub mod ids;
pub mod location;
pub mod movement;
pub mod refusal;
pub mod reservation;
pub mod stock;

#[cfg(test)]
mod properties;

pub use allocation::{Ask, Line, Shortage, Split, allocate, allocate_regardless};
pub use enrolment::Enrolment;
pub use ids::{LocationId, MovementId, OrderId, VariantId};
pub use location::Location;
pub use movement::{Movement, MovementKind, Reason};
pub use refusal::Refusal;
pub use reservation::{Effect, Outcome, Reservation, Stage};
pub use stock::{Imported, MAX_UNITS, Policy, Stock};
