//! Drives checkouts: carries out what [`checkout::step`] wants, one driver of an order in a process.
//!
//! A driver lives as long as its checkout, whatever becomes of the request that began it. After a
//! crash the next process begins where the stored saga says; asking a participant again is always
//! right, because each answers an order once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use kernel::Timestamp;
use platform::executor::Executor;
use platform::sometimes;
use platform::store::{Direction, Query, StoreError};
use platform::{Context, Env, bug, crash};

use super::app::{Limits, SeenOrder};
use super::close_checkout::{
    Closing, ConfirmOrder, KeepCheckout, RejectOrder, RenderOrder, UnwindCheckout,
};
use super::error::Error;
use super::steady::Steady;
use crate::domain::checkout::{self, Command, Rejection, Reply, Turn};
use crate::domain::{Checkout, Order, OrderId, Refusal};
use crate::ports::{Authorization, Payments, Reservation, Stock, StockLine, Voiding};

/// The order at the end of its checkout; `None` when its rows cannot be read.
pub type Ending = Shared<BoxFuture<'static, Option<Arc<SeenOrder>>>>;

const PAGE: u32 = 100;
const RETRY: Duration = Duration::from_secs(1);
/// What is put off by so much more than a driver puts it off was put off before the clock was set
/// back; a little more may be another process's clock.
const SET_BACK: Duration = Duration::from_mins(5);

pub struct Driver {
    executor: Executor,
    stock: Arc<dyn Stock>,
    payments: Arc<dyn Payments>,
    render: RenderOrder,
    limits: Limits,
    driving: Mutex<HashMap<OrderId, Ending>>,
    /// Has everything that an earlier process left open been taken up?
    taken_up: AtomicBool,
}

/// How one attempt to carry a command out went.
enum Outcome {
    Reply(Reply),
    Ended(Arc<SeenOrder>),
    Overtaken,
}

impl Driver {
    pub fn new(
        executor: Executor,
        stock: Arc<dyn Stock>,
        payments: Arc<dyn Payments>,
        render: RenderOrder,
        limits: Limits,
    ) -> Self {
        let driving = Mutex::new(HashMap::new());
        let taken_up = AtomicBool::new(false);
        Self { executor, stock, payments, render, limits, driving, taken_up }
    }

    pub(super) fn render(&self) -> RenderOrder {
        self.render.clone()
    }

    pub fn is_full(&self) -> bool {
        self.lock().len() >= self.limits.max_open_checkouts
    }

    /// The driver of this order, if this process has one.
    pub fn watch(&self, id: OrderId) -> Option<Ending> {
        self.lock().get(&id).cloned()
    }

    /// Drives the checkout to its end, unless this process does so already. `start` spares reading
    /// what was just written.
    pub fn drive(
        self: &Arc<Self>,
        context: &Context,
        id: OrderId,
        start: Option<(Checkout, Arc<SeenOrder>)>,
    ) -> Ending {
        let mut driving = self.lock();
        if let Some(ending) = driving.get(&id) {
            return ending.clone();
        }
        let (driver, context) = (self.clone(), context.clone());
        let ending = async move { driver.run(context, id, start).await }.boxed().shared();
        driving.insert(id, ending.clone());
        drop(driving);
        let (driver, work) = (self.clone(), ending.clone());
        self.env().spawn("checkout", async move {
            let _gone = Gone { driver, id };
            work.await;
        });
        ending
    }

    /// Takes up checkouts that nobody drives: all that an earlier process left open, then those
    /// that are overdue.
    pub async fn resume(self: &Arc<Self>, context: &Context) -> Result<(), Error> {
        if bug::is("timers-never-fire") {
            return Ok(());
        }
        let all = !self.taken_up.load(Ordering::Acquire);
        let open = Query::new(PAGE).eq("status", "open");
        let now = self.env().now();
        if all {
            self.take_up(context, open).await?;
        } else {
            self.take_up(context, open.clone().le("deadline_at", now)).await?;
            // Nobody puts it off for so long: the clock was set back since.
            let longest = self.limits.resume_after.saturating_add(SET_BACK);
            self.take_up(context, open.gt("deadline_at", now.plus(longest))).await?;
        }
        self.taken_up.store(true, Ordering::Release);
        Ok(())
    }

    async fn take_up(self: &Arc<Self>, context: &Context, query: Query) -> Result<(), Error> {
        let query = query.order("deadline_at", Direction::Ascending);
        let mut after = None;
        loop {
            let mut query = query.clone();
            if let Some(position) = after.take() {
                query = query.after(position);
            }
            let rows = self.executor.store().list::<Checkout>(query).await?;
            for row in &rows {
                if self.watch(OrderId::from(row.id)).is_none() {
                    sometimes::reached("a checkout was taken up from an earlier driver");
                }
                let _ending = self.drive(context, OrderId::from(row.id), None);
            }
            match rows.last() {
                Some(last) if rows.len() == PAGE as usize => {
                    let value = last.state.deadline_at.into();
                    after = Some(platform::store::Position { value, id: last.id });
                }
                _ => return Ok(()),
            }
        }
    }

    async fn run(
        self: Arc<Self>,
        context: Context,
        id: OrderId,
        mut start: Option<(Checkout, Arc<SeenOrder>)>,
    ) -> Option<Arc<SeenOrder>> {
        loop {
            let (saga, order) = match start.take() {
                Some(start) => start,
                None => match self.load(id).await {
                    Ok(found) => found?,
                    Err(error) => {
                        tracing::warn!(order = %id, %error, "a checkout waits for the store");
                        self.env().sleep(RETRY).await;
                        continue;
                    }
                },
            };
            if saga.is_done() {
                return Some(order);
            }
            if let Some(order) = self.follow(&context, id, saga, &order.state).await {
                return Some(order);
            }
        }
    }

    async fn load(&self, id: OrderId) -> Result<Option<(Checkout, Arc<SeenOrder>)>, StoreError> {
        let store = self.executor.store();
        let saga = store.get::<Checkout>(id.uuid()).await?;
        let order = store.get::<Order>(id.uuid()).await?;
        let (saga, order) = match (saga, order) {
            (Some(saga), Some(order)) => (saga, order),
            // Placing it was not committed after all.
            (None, None) => return Ok(None),
            _ => {
                tracing::error!(order = %id, "a checkout without its order, or the reverse");
                return Ok(None);
            }
        };
        let order = SeenOrder { id, version: order.version, state: order.state };
        Ok(Some((saga.state, Arc::new(order))))
    }

    /// Follows the saga as far as it goes; `None` when another driver has overtaken it.
    async fn follow(
        &self,
        context: &Context,
        id: OrderId,
        saga: Checkout,
        order: &Order,
    ) -> Option<Arc<SeenOrder>> {
        let lines: Vec<StockLine> = order
            .lines
            .iter()
            .map(|line| StockLine { variant_id: line.variant_id, quantity: line.quantity })
            .collect();
        let clock = Steady::start(self.env());
        let (reserve, reservation) = (self.limits.reserve_timeout, self.limits.reservation);
        let saga = saga.within(clock.now(), reserve, reservation);
        let (mut saga, mut turn) = saga.begin(clock.now());
        while let Some(Turn { turn: number, after, command }) = turn {
            if !after.is_zero() {
                self.env().sleep(after).await;
            }
            if clock.now() >= saga.deadline_at {
                saga.deadline_at = self.keep(context, id, clock.now()).await;
            }
            let call = self.call(context);
            let reply = match self.carry_out(&call, id, order, &lines, command).await {
                Outcome::Reply(reply) => reply,
                Outcome::Ended(order) => return Some(order),
                Outcome::Overtaken => {
                    sometimes::reached("a driver of a checkout was overtaken by another");
                    return None;
                }
            };
            (saga, turn) = checkout::step(saga, number, reply, clock.now());
        }
        None
    }

    /// Tells other processes that it is driven. A driver that dies over and over is so begun anew
    /// only each `resume_after`.
    async fn keep(&self, context: &Context, id: OrderId, now: Timestamp) -> Timestamp {
        let resume_after = self.limits.resume_after;
        let keep = KeepCheckout { id, resume_after };
        if let Err(error) = self.executor.execute(&self.call(context), keep).await {
            tracing::debug!(order = %id, %error, "a checkout could not be kept");
        }
        // Half of it, so that a living driver is always ahead of the others.
        now.plus(resume_after / 2)
    }

    async fn carry_out(
        &self,
        call: &Context,
        id: OrderId,
        order: &Order,
        lines: &[StockLine],
        command: Command,
    ) -> Outcome {
        match command {
            Command::Reserve { expires_at } => {
                crash::point("ordering.reserve.before");
                let answer = self.stock.reserve(call, id, lines, expires_at).await;
                crash::point("ordering.reserve.after");
                Outcome::Reply(answer.map_or_else(|e| unanswered(id, &e), reserved))
            }
            Command::Authorize { amount, token } => {
                crash::point("ordering.authorize.before");
                let answer = self.payments.authorize(call, id, amount, &token).await;
                crash::point("ordering.authorize.after");
                Outcome::Reply(answer.map_or_else(|e| unanswered(id, &e), authorized))
            }
            Command::Void { reason } => {
                crash::point("ordering.void.before");
                let answer = self.payments.void(call, id, reason).await;
                crash::point("ordering.void.after");
                Outcome::Reply(answer.map_or_else(|e| unanswered(id, &e), |told| voided(id, told)))
            }
            Command::Release => {
                crash::point("ordering.release.before");
                let answer = self.stock.release(call, id).await;
                crash::point("ordering.release.after");
                Outcome::Reply(answer.map_or_else(|e| unanswered(id, &e), |()| Reply::Done))
            }
            Command::Confirm { payment } => {
                crash::point("ordering.confirm.before");
                let render = self.render.clone();
                let confirm = ConfirmOrder { id, payment, render };
                let outcome = self.executor.execute(call, confirm).await;
                crash::point("ordering.confirm.after");
                closed(id, outcome)
            }
            Command::Unwind { rejection } => {
                crash::point("ordering.unwind.before");
                let outcome = self.executor.execute(call, UnwindCheckout { id, rejection }).await;
                crash::point("ordering.unwind.after");
                closed(id, outcome)
            }
            Command::Reject { rejection } => {
                crash::point("ordering.reject.before");
                let outcome = self.reject(call, id, order, rejection).await;
                crash::point("ordering.reject.after");
                closed(id, outcome)
            }
        }
    }

    async fn reject(
        &self,
        call: &Context,
        id: OrderId,
        order: &Order,
        rejection: Rejection,
    ) -> Result<Closing, Error> {
        let reject = |reopen_cart| RejectOrder {
            id,
            cart_id: order.cart_id,
            rejection: rejection.clone(),
            reopen_cart,
            render: self.render.clone(),
        };
        match self.executor.execute(call, reject(true)).await {
            // The customer has another open cart by now; the old one stays closed.
            Err(Error::Refusal(Refusal::OpenCartExists)) => {
                self.executor.execute(call, reject(false)).await
            }
            outcome => outcome,
        }
    }

    /// Our own identity and time: the request may be long gone.
    fn call(&self, context: &Context) -> Context {
        let mut call = Context::background(self.env(), "ordering", self.limits.call_timeout);
        call.correlation = context.correlation.clone();
        call.trace = context.trace;
        call
    }

    fn env(&self) -> &Env {
        self.executor.env()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<OrderId, Ending>> {
        self.driving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the driver off the list when it ends, also when it panics.
struct Gone {
    driver: Arc<Driver>,
    id: OrderId,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.driver.lock().remove(&self.id);
    }
}

fn reserved(reservation: Reservation) -> Reply {
    match reservation {
        Reservation::Reserved => Reply::Reserved,
        Reservation::OutOfStock(_) if bug::is("ignore-stock-limit") => Reply::Reserved,
        Reservation::OutOfStock(shortages) => Reply::OutOfStock(shortages),
        Reservation::AlreadyReleased => {
            sometimes::reached("goods were released before they were reserved");
            Reply::AlreadyReleased
        }
    }
}

fn authorized(authorization: Authorization) -> Reply {
    match authorization {
        Authorization::Authorized(payment) => Reply::Authorized(payment),
        Authorization::Declined(code) => Reply::Declined(code),
        Authorization::Unknown => {
            sometimes::reached("a checkout waited for an unknown payment");
            Reply::PaymentUnknown
        }
        Authorization::AlreadyVoided => {
            sometimes::reached("a payment was voided before it was authorized");
            Reply::AlreadyVoided
        }
    }
}

fn voided(id: OrderId, voiding: Voiding) -> Reply {
    match voiding {
        Voiding::Done => Reply::Done,
        Voiding::Pending => Reply::NoAnswer,
        Voiding::Refused => {
            tracing::error!(order = %id, "the money of a rejected order is not given back yet");
            Reply::VoidRefused
        }
    }
}

fn unanswered(id: OrderId, error: &dyn std::error::Error) -> Reply {
    tracing::debug!(order = %id, %error, "a checkout got no answer");
    Reply::NoAnswer
}

fn closed(id: OrderId, outcome: Result<Closing, Error>) -> Outcome {
    match outcome {
        Ok(Closing::Done) => Outcome::Reply(Reply::Done),
        Ok(Closing::Ended(order)) => Outcome::Ended(Arc::new(*order)),
        Ok(Closing::TooLate) => Outcome::Reply(Reply::TooLate),
        Ok(Closing::Overtaken) => Outcome::Overtaken,
        // Whether it was committed is not known: the next try finds out.
        Err(error) => Outcome::Reply(unanswered(id, &error)),
    }
}
