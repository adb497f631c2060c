//! Buys what is in a cart.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Money, Timestamp};
use platform::executor::{Command, Keys, States};
use platform::idempotency::{IdempotencyKey, Idempotent};
use platform::store::StoreError;
use platform::{Context, crash, sometimes};

use super::app::{App, SeenCart, SeenOrder};
use super::close_checkout::RenderOrder;
use super::error::Error;
use super::kept_answers::{self, request};
use super::place_order::PlaceOrder;
use super::put_carts::TRIES;
use super::run_checkout::Ending;
use crate::domain::checkout::Step;
use crate::domain::payment::PaymentToken;
use crate::domain::{Access, CartId, CartStatus, Checkout, Order, OrderId, Refusal};

/// What is left of the request's time for writing the answer.
const SPARE: Duration = Duration::from_millis(250);
const POLL: Duration = Duration::from_millis(100);

pub struct Completion {
    /// What the buyer was shown; anything else is refused.
    pub expected_total: Money,
    /// Needed unless the total is zero.
    pub payment_token: Option<PaymentToken>,
}

/// The order at the end of its checkout, or as it is when the request's time is up.
pub enum Completed {
    Ended(Arc<SeenOrder>),
    Running(Arc<SeenOrder>),
}

impl App {
    /// One cart makes one live order: whoever completes it again, from wherever, waits for the same
    /// order. Keyed that is rejected, the cart is open and can be completed anew.
    pub async fn complete_cart(
        &self,
        context: &Context,
        key: IdempotencyKey,
        access: &Access,
        id: CartId,
        completion: Completion,
    ) -> Result<Completed, Error> {
        for _ in 0..TRIES {
            let seen = self.read_cart(access, id).await?;
            match seen.state.status {
                CartStatus::Open => {}
                CartStatus::Ordered(order) => return self.join(context, key, order).await,
                CartStatus::Merged(_) => return Err(Refusal::CartMerged.into()),
            }
            // Who is turned away costs as little as can be: pricing asks another service.
            if self.driver.is_full() {
                return Err(Refusal::Busy.into());
            }
            let seen = self.look(context, seen).await?;
            let place = self.prepare(context, &key, &seen, &completion)?;
            let (order_id, checkout) = (place.id, place.checkout.clone());
            crash::point("ordering.place.before");
            let once = Idempotent::begin(key.clone());
            let placed = self.executor.execute_once(context, Some(once), place).await;
            crash::point("ordering.place.after");
            match placed {
                Ok(order) => {
                    let order = Arc::new(order);
                    let start = Some((checkout, order.clone()));
                    let ending = self.driver.drive(context, order_id, start);
                    return Ok(self.wait(context, ending, order).await);
                }
                Err(Error::Moved) => {}
                // It may have been committed: a driver looks, and ends it if so.
                Err(error @ Error::Store(StoreError::Unavailable(_))) => {
                    sometimes::reached("nobody knew whether an order was placed");
                    let ending = self.driver.drive(context, order_id, None);
                    let ended = self.env().timeout(self.patience(context), ending).await;
                    return ended.flatten().map(Completed::Ended).ok_or(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::Moved)
    }

    /// The order and saga that the cart makes, if it lacks nothing and costs what was expected.
    fn prepare(
        &self,
        context: &Context,
        key: &IdempotencyKey,
        seen: &SeenCart,
        completion: &Completion,
    ) -> Result<PlaceOrder, Error> {
        let now = self.env().now();
        let languages = self.languages(context);
        let order = Order::place(
            seen.id,
            &seen.cart,
            &seen.quotes,
            &seen.priced,
            &seen.tariff,
            &languages,
            now,
        )?;
        let total = order.total();
        if total != completion.expected_total {
            return Err(Refusal::TotalChanged { total }.into());
        }
        let payment_token = completion.payment_token.clone().filter(|_| !total.is_zero());
        if payment_token.is_none() && !total.is_zero() {
            return Err(Refusal::TokenMissing.into());
        }
        let checkout = Checkout {
            cart_id: seen.id,
            amount: total,
            payment_token,
            request: Some(request(key)),
            joined: Vec::new(),
            step: Step::Reserve,
            attempt: 0,
            turn: 0,
            reserve_by: now.plus(self.limits.reserve_timeout),
            reserved_until: now.plus(self.limits.reservation),
            margin: self.limits.reservation_margin,
            deadline_at: now.plus(self.limits.resume_after),
        };
        Ok(PlaceOrder { cart_version: seen.version, id: self.env().id(), order, checkout })
    }

    /// Waits for an order that somebody else's request, or another process, drives. What it ends
    /// with is the answer to this key too, given in the commit that ends it: sent again, it does not
    /// buy again, though a rejection may have opened the cart meanwhile.
    async fn join(
        &self,
        context: &Context,
        key: IdempotencyKey,
        id: OrderId,
    ) -> Result<Completed, Error> {
        sometimes::reached("a cart was completed while it was being ordered");
        let join = JoinCheckout { id, key: key.clone(), render: self.driver.render() };
        let once = Idempotent::begin(key);
        match self.executor.execute_once(context, Some(once), join).await? {
            Some(ended) => Ok(Completed::Ended(Arc::new(ended))),
            None => self.follow(context, id).await,
        }
    }

    async fn follow(&self, context: &Context, id: OrderId) -> Result<Completed, Error> {
        loop {
            let order = Arc::new(self.read_order(id).await?);
            if !order.state.is_placed() {
                return Ok(Completed::Ended(order));
            }
            let patience = self.patience(context);
            if patience.is_zero() {
                return Ok(Completed::Running(order));
            }
            if let Some(ending) = self.driver.watch(id) {
                return Ok(self.wait(context, ending, order).await);
            }
            // Another process drives it, or one that has died did: its row tells.
            self.env().sleep(POLL.min(patience)).await;
        }
    }

    async fn wait(&self, context: &Context, ending: Ending, order: Arc<SeenOrder>) -> Completed {
        let ended = self.env().timeout(self.patience(context), ending).await;
        ended.flatten().map_or(Completed::Running(order), Completed::Ended)
    }

    fn patience(&self, context: &Context) -> Duration {
        context.remaining(self.env()).saturating_sub(SPARE)
    }
}

/// One more key that waits for the end of a checkout. It is answered at once if that has come.
struct JoinCheckout {
    id: OrderId,
    key: IdempotencyKey,
    render: RenderOrder,
}

impl Command for JoinCheckout {
    /// The order, if its checkout has ended.
    type Reply = Option<SeenOrder>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Order>(self.id.uuid());
        keys.add::<Checkout>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        let id = self.id.uuid();
        let before = states.get::<Order>(id).ok_or(Refusal::OrderNotFound)?;
        let mut order = before.clone();
        if !order.is_placed() {
            let surplus = order.keep(request(&self.key), now);
            if order != *before {
                states.put(id, order.clone());
            }
            kept_answers::erase(states, surplus);
            let version = states.version::<Order>(id);
            let seen = SeenOrder { id: self.id, version, state: order };
            states.finish(&self.key, (self.render)(&seen));
            return Ok(Some(seen));
        }
        let mut checkout = states.get::<Checkout>(id).ok_or(Refusal::OrderNotFound)?.clone();
        if !checkout.join(request(&self.key)) {
            return Err(Refusal::Busy.into());
        }
        states.put(id, checkout);
        Ok(None)
    }
}
