//! Carts, orders and the checkout saga.

pub mod adapters;
pub mod application;
pub mod domain;
pub mod ports;

pub const NAME: &str = "ordering";
