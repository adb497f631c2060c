//! Ordering as the composition root builds it, on memory and SQLite, against doubles of the three
//! services that it asks.

mod bad_input;
mod carts;
mod checkout;
mod orders;
mod recovery;
mod settings;
mod shop;
mod world;
