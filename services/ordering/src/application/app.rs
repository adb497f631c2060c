//! What all use cases stand on.

use std::sync::Arc;
use std::time::Duration;

use kernel::Locale;
use platform::executor::Executor;
use platform::idempotency::{IdempotencyKey, SavedResponse};
use platform::{Context, Env};

use super::read_tariff::Tariffs;
use super::run_checkout::Driver;
use crate::domain::order::Languages;
use crate::domain::pricing::{Basket, ShippingOption, Tariff, shipping};
use crate::domain::quote::{PricedCart, Quotes};
use crate::domain::{Access, Cart, CartId, CustomerId, Order, OrderId, SecretHash};
use crate::ports::Prices;

/// How long things may take and last.
#[derive(Clone, Debug)]
pub struct Limits {
    pub cart_lifetime: Duration,
    /// From placing: a reservation that does not answer by then is given up.
    pub reserve_timeout: Duration,
    /// How long inventory holds goods for a checkout.
    pub reservation: Duration,
    /// How long before its end a reservation is no longer relied on.
    pub reservation_margin: Duration,
    /// When another process may take over a checkout that did not end.
    pub resume_after: Duration,
    pub call_timeout: Duration,
    pub max_open_checkouts: usize,
    /// Chosen when a buyer's languages have no text.
    pub locale: Locale,
}

/// A thing as it was read or written: with its id and version.
#[derive(Clone, Debug)]
pub struct Seen<I, T> {
    pub id: I,
    pub version: u64,
    pub state: T,
}

pub type SeenOrder = Seen<OrderId, Order>;

/// A cart with today's prices.
#[derive(Clone, Debug)]
pub struct SeenCart {
    pub id: CartId,
    pub version: u64,
    pub cart: Cart,
    pub quotes: Quotes,
    pub priced: PricedCart,
    pub tariff: Arc<Tariff>,
}

impl SeenCart {
    /// The ways in which it can be shipped to its address, with prices.
    pub fn shipping_options(&self) -> Vec<ShippingOption<'_>> {
        let goods: Vec<_> = self.priced.goods.iter().map(|(_, goods)| goods.clone()).collect();
        if !goods.iter().any(|goods| goods.requires_shipping) {
            return Vec::new();
        }
        let basket = Basket {
            currency: self.cart.currency,
            goods: &goods,
            taxed_in: self.cart.destination(),
            ships_to: self.cart.ships_to(),
        };
        shipping::options(&self.tariff, &basket, self.priced.totals.subtotal_minor)
    }
}

/// The key of a request and how its answer is written.
pub struct Keyed<T> {
    pub key: IdempotencyKey,
    pub render: Arc<dyn Fn(&T) -> SavedResponse + Send + Sync>,
}

impl<T> Keyed<T> {
    /// For one more try of the same request.
    pub fn again(&self) -> Self {
        Self { key: self.key.clone(), render: self.render.clone() }
    }
}

/// The use cases; each file beside this one adds its own.
pub struct App {
    pub(super) executor: Executor,
    pub(super) prices: Arc<dyn Prices>,
    pub(super) tariffs: Tariffs,
    pub(super) driver: Arc<Driver>,
    pub(super) limits: Limits,
}

impl App {
    pub fn new(
        executor: Executor,
        prices: Arc<dyn Prices>,
        driver: Arc<Driver>,
        limits: Limits,
    ) -> Self {
        let tariffs = Tariffs::new(executor.clone());
        Self { executor, prices, tariffs, driver, limits }
    }

    pub fn env(&self) -> &Env {
        self.executor.env()
    }

    pub fn languages(&self, context: &Context) -> Languages {
        Languages { wanted: context.locales.clone(), fallback: self.limits.locale.clone() }
    }
}

/// What the caller of `context` can show for a cart or an order.
pub fn access(context: &Context, secret: Option<SecretHash>) -> Access {
    Access { customer: customer(context), secret }
}

/// The account that carts and orders belong to; staff may buy as well.
pub fn customer(context: &Context) -> Option<CustomerId> {
    context.principal.account().map(CustomerId::from_uuid)
}
