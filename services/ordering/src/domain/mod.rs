//! Carts, orders and the checkout saga as pure data and functions.
//!
//! In reading order: [`cart`], [`pricing`] (what a cart costs), [`order`] (what was bought),
//! [`checkout`] (how one becomes the other). Nothing here waits, reads a clock or draws a number.

pub mod address;
pub mod cart;
pub mod checkout;
#[cfg(test)]
mod checkout_tests;
pub mod counter;
pub mod erasure;
pub mod ids;
pub mod kept;
pub mod order;
#[cfg(test)]
mod order_properties;
#[cfg(test)]
mod order_tests;
pub mod payment;
pub mod pricing;
pub mod quote;
pub mod refusal;
pub mod scope;

pub use cart::{Cart, CartLine, CartStatus};
pub use checkout::{Checkout, RejectReason};
pub use counter::Counter;
pub use erasure::Erasure;
pub use ids::{
    CartId, CustomerId, NoteId, OrderId, PaymentId, ProductId, ShippingMethodId, ShippingZoneId,
    TaxRateId, VariantId,
};
pub use order::Order;
pub use refusal::Refusal;
pub use scope::{Access, SecretHash};
