//! The commits of a running checkout: deciding to undo, and its two ends.
//!
//! Each looks at the stored saga first. What another driver has decided stands.

use std::sync::Arc;
use std::time::Duration;

use contracts::ordering::v1;
use kernel::Timestamp;
use platform::bug;
use platform::executor::{Command, Keys, States};
use platform::idempotency::SavedResponse;
use platform::sometimes;

use super::app::SeenOrder;
use super::error::Error;
use super::kept_answers;
use super::place_order::lines_of;
use crate::domain::checkout::{Rejection, RequestKey, Step, undo};
use crate::domain::ids::PaymentId;
use crate::domain::{Cart, CartId, Checkout, Counter, Order, OrderId, Refusal};

/// Writes the answer of the request that completed a cart.
pub type RenderOrder = Arc<dyn Fn(&SeenOrder) -> SavedResponse + Send + Sync>;

/// What a commit found and did.
#[derive(Debug)]
pub(super) enum Closing {
    Done,
    /// The checkout has ended, now or before, with this order.
    Ended(Box<SeenOrder>),
    /// It is too late to confirm.
    TooLate,
    /// Another driver went another way: read the saga again.
    Overtaken,
}

/// The pivot: number, confirmation, event and answer in one transaction.
pub(super) struct ConfirmOrder {
    pub id: OrderId,
    pub payment: Option<PaymentId>,
    pub render: RenderOrder,
}

impl Command for ConfirmOrder {
    type Reply = Closing;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Order>(self.id.uuid());
        keys.add::<Checkout>(self.id.uuid());
        keys.add::<Counter>(Counter::ID);
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Closing, Error> {
        let id = self.id.uuid();
        let (mut order, mut checkout) = read(states, self.id)?;
        if checkout.step == Step::Confirmed {
            sometimes::reached("a confirmation was asked for twice");
            return Ok(ended(states, self.id, order));
        }
        if !checkout.is_forward() {
            return Ok(Closing::Overtaken);
        }
        if checkout.has_lapsed(now) {
            return Ok(Closing::TooLate);
        }
        let counter = states.get::<Counter>(Counter::ID).copied().unwrap_or_default();
        let (counter, number) = counter.next();
        order.confirm(number, self.payment, now)?;
        let requests = checkout.end(Step::Confirmed);
        keep(states, &mut order, &requests, now);
        states.put(Counter::ID, counter);
        states.put(id, checkout);
        if !bug::is("forget-order") {
            states.put(id, order.clone());
        }
        states.emit::<Order, _>(id, &confirmed(self.id, number, self.payment, &order));
        Ok(answer(states, requests, &self.render, self.id, order))
    }
}

/// Its driver lives: others leave it alone for another while.
pub(super) struct KeepCheckout {
    pub id: OrderId,
    pub resume_after: Duration,
}

impl Command for KeepCheckout {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Checkout>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        let id = self.id.uuid();
        let checkout = states.get::<Checkout>(id).ok_or(Refusal::OrderNotFound)?;
        if !checkout.is_done() {
            let deadline_at = now.plus(self.resume_after);
            states.put(id, Checkout { deadline_at, ..checkout.clone() });
        }
        Ok(())
    }
}

/// From now on this checkout is undone, whoever drives it.
pub(super) struct UnwindCheckout {
    pub id: OrderId,
    pub rejection: Rejection,
}

impl Command for UnwindCheckout {
    type Reply = Closing;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Checkout>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<Closing, Error> {
        let id = self.id.uuid();
        let mut checkout = states.get::<Checkout>(id).ok_or(Refusal::OrderNotFound)?.clone();
        if !checkout.is_forward() {
            return Ok(Closing::Overtaken);
        }
        sometimes::reached("a checkout was undone");
        checkout.step = undo(self.rejection.clone());
        // What was to be paid with is not needed to undo.
        checkout.payment_token = None;
        states.put(id, checkout);
        Ok(Closing::Done)
    }
}

/// The other end. The cart opens again, unless its customer has opened another one since.
pub(super) struct RejectOrder {
    pub id: OrderId,
    pub cart_id: CartId,
    pub rejection: Rejection,
    pub reopen_cart: bool,
    pub render: RenderOrder,
}

impl Command for RejectOrder {
    type Reply = Closing;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Order>(self.id.uuid());
        keys.add::<Checkout>(self.id.uuid());
        keys.add::<Cart>(self.cart_id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Closing, Error> {
        let id = self.id.uuid();
        let (mut order, mut checkout) = read(states, self.id)?;
        match checkout.step {
            Step::Rejected => return Ok(ended(states, self.id, order)),
            Step::Confirmed => return Ok(Closing::Overtaken),
            _ => {}
        }
        order.reject(self.rejection.clone(), now)?;
        let requests = checkout.end(Step::Rejected);
        keep(states, &mut order, &requests, now);
        if self.reopen_cart
            && let Some(cart) = states.get::<Cart>(self.cart_id.uuid())
        {
            let mut cart = cart.clone();
            cart.reopen(self.id);
            states.put(self.cart_id.uuid(), cart);
        }
        states.put(id, checkout);
        states.put(id, order.clone());
        let reason = self.rejection.reason.name().to_owned();
        let order_id = id.as_bytes().to_vec();
        states.emit::<Order, _>(id, &v1::OrderRejected { order_id, reason });
        Ok(answer(states, requests, &self.render, self.id, order))
    }
}

fn read(states: &States<'_>, id: OrderId) -> Result<(Order, Checkout), Error> {
    let order = states.get::<Order>(id.uuid()).ok_or(Refusal::OrderNotFound)?.clone();
    let checkout = states.get::<Checkout>(id.uuid()).ok_or(Refusal::OrderNotFound)?.clone();
    Ok((order, checkout))
}

fn ended(states: &States<'_>, id: OrderId, order: Order) -> Closing {
    let version = states.version::<Order>(id.uuid());
    Closing::Ended(Box::new(SeenOrder { id, version, state: order }))
}

/// The answers of these requests will show the order.
fn keep(states: &mut States<'_>, order: &mut Order, requests: &[RequestKey], now: Timestamp) {
    for request in requests {
        let surplus = order.keep(request.clone(), now);
        kept_answers::erase(states, surplus);
    }
}

/// Ends the requests that wait for this.
fn answer(
    states: &mut States<'_>,
    requests: Vec<RequestKey>,
    render: &RenderOrder,
    id: OrderId,
    order: Order,
) -> Closing {
    let version = states.version::<Order>(id.uuid());
    let seen = SeenOrder { id, version, state: order };
    for request in requests {
        states.finish(&kept_answers::key(request), render(&seen));
    }
    Closing::Ended(Box::new(seen))
}

fn confirmed(
    id: OrderId,
    number: u64,
    payment: Option<PaymentId>,
    order: &Order,
) -> v1::OrderConfirmed {
    v1::OrderConfirmed {
        order_id: id.uuid().as_bytes().to_vec(),
        number: i64::try_from(number).unwrap_or(i64::MAX),
        payment_id: payment.map(|p| p.uuid().as_bytes().to_vec()).unwrap_or_default(),
        lines: lines_of(order),
        total_minor: order.sums.total_minor,
        currency: order.currency.code().to_owned(),
    }
}
