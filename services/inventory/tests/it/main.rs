//! Inventory on its own, on both engines: through its contract, its events and its REST routes.

mod counts;
mod events;
mod hold;
mod ledger;
mod rest;
mod shop;
