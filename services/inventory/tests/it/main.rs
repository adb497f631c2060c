//! Inventory on its own, on both engines: through its contract, its events and its REST routes.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may stop at the first surprise, as tests do"
)]

mod batches;
mod counts;
mod events;
mod expiry;
mod hold;
mod ledger;
mod rest;
mod shop;
