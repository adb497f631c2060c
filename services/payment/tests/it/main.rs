//! The payment service through its own doors, on memory and on SQLite; only the clock and the
//! provider's moods are doubles.

#![expect(clippy::unwrap_used, reason = "in a test a surprise is a failure")]

mod authorizing;
mod migrating;
mod notifications;
mod orders;
mod refusing;
mod restarting;
mod shop;
mod staff;
mod unwinding;
