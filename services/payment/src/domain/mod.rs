//! Payments, pure: what may happen to the money of one order, and what follows from it.
//!
//! Nothing here waits, reads a clock or talks to a provider. A method takes the present state and
//! what became known, changes the state, and returns the facts that others must learn. Calls to
//! the provider stand in the state as outstanding work ([`due`]); whoever performs them comes
//! back with an [`Answer`].

pub mod answer;
pub mod attempt;
pub mod authorization;
pub mod cancellation;
pub mod charge;
pub mod due;
pub mod fact;
pub mod ids;
pub mod ledger;
pub mod notification;
pub mod operation;
pub mod payment;
pub mod rejection;
pub mod token;

pub use answer::Answer;
pub use attempt::Attempt;
pub use authorization::{Begun, NewPayment, Outcome};
pub use cancellation::Undoing;
pub use charge::{Charge, Wish};
pub use due::{Errand, Work};
pub use fact::Fact;
pub use ids::{CaptureId, OrderId, PaymentId, RefundId};
pub use ledger::LedgerEntry;
pub use notification::Notification;
pub use operation::{Operation, OperationId, Progress, Refused, RequestKey};
pub use payment::{Doubt, Moment, Payment, Request, Stage, Status, TimelineEntry};
pub use rejection::Rejection;
pub use token::PaymentToken;

#[cfg(test)]
mod properties;
