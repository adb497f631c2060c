//! Ordering as the composition root builds it, on memory and SQLite, against doubles of the three
//! services that it asks.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may stop at the first surprise, as tests do"
)]

mod bad_input;
mod carts;
mod checkout;
mod erasing;
mod orders;
mod recovery;
mod script;
mod settings;
mod shared;
mod shop;
mod unwinding;
mod world;
