//! The first step of a checkout: cart, order and saga in one transaction.

use contracts::ordering::v1;
use kernel::Timestamp;
use platform::executor::{Command, Keys, States};

use super::app::SeenOrder;
use super::erase_customer;
use super::error::Error;
use crate::domain::{Cart, CartId, CartStatus, Checkout, Order, OrderId};

/// Turns the cart, at the version that was priced, into an order whose checkout runs.
pub(super) struct PlaceOrder {
    pub cart_version: u64,
    pub id: OrderId,
    pub order: Order,
    pub checkout: Checkout,
}

impl Command for PlaceOrder {
    type Reply = SeenOrder;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Cart>(self.order.cart_id.uuid());
        keys.add::<Order>(self.id.uuid());
        keys.add::<Checkout>(self.id.uuid());
        erase_customer::add_key(keys, self.order.customer_id);
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<SeenOrder, Error> {
        let cart_id: CartId = self.order.cart_id;
        let id = self.id.uuid();
        if states.version::<Cart>(cart_id.uuid()) != self.cart_version {
            return Err(Error::Moved);
        }
        erase_customer::refuse_erased(states, self.order.customer_id)?;
        let mut cart = states.get::<Cart>(cart_id.uuid()).ok_or(Error::Moved)?.clone();
        cart.open()?;
        cart.status = CartStatus::Ordered(self.id);
        states.put(cart_id.uuid(), cart);
        states.put(id, self.order.clone());
        states.put(id, self.checkout.clone());
        states.emit::<Order, _>(id, &placed(self.id, &self.order));
        let version = states.version::<Order>(id);
        Ok(SeenOrder { id: self.id, version, state: self.order.clone() })
    }
}

fn placed(id: OrderId, order: &Order) -> v1::OrderPlaced {
    v1::OrderPlaced {
        order_id: id.uuid().as_bytes().to_vec(),
        customer_id: order.customer_id.map(|c| c.uuid().as_bytes().to_vec()).unwrap_or_default(),
        lines: lines_of(order),
        total_minor: order.sums.total_minor,
        currency: order.currency.code().to_owned(),
    }
}

/// An order's goods as events tell of them.
pub(super) fn lines_of(order: &Order) -> Vec<v1::OrderLine> {
    let line = |line: &crate::domain::order::OrderLine| v1::OrderLine {
        variant_id: line.variant_id.uuid().as_bytes().to_vec(),
        quantity: line.quantity.get(),
        price_minor: line.price_minor,
    };
    order.lines.iter().map(line).collect()
}
