//! Reservations whose time is over give their units back, unless their order was confirmed: its
//! event may be late by more than a reservation lives, and its units must not be sold again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use platform::store::{Direction, Position, Query, Versioned};
use platform::{Context, sometimes};

use super::settle_order::Settle;
use super::{Error, Inventory};
use crate::domain::{OrderId, Reservation};
use crate::ports::{NoAnswer, OrderState, Orders};

/// How many are looked at in one go; those that end are decided concurrently and so committed
/// together.
const ROUND: u32 = 200;
/// How many rounds before the task gives way; the next turn goes on behind them.
const ROUNDS: u32 = 50;
/// How many questions in a turn may lead to nothing. Those who wait for a late event are many when
/// a broker is down, and ordering has better things to do than to answer for each of them again
/// every second.
const VAIN: usize = 600;
/// How many questions are open at once, and how long each may be.
const AT_ONCE: usize = 32;
const PATIENCE: Duration = Duration::from_secs(2);
/// A round whose questions all run out of patience takes this long; no round begins that could not
/// end within the turn.
const LONGEST_ROUND: Duration = Duration::from_secs(20);
/// An outage is told once in this time.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// The task that looks for what is due, with the place where its last turn ended.
#[derive(Clone)]
pub struct Expiry {
    inventory: Inventory,
    orders: Arc<dyn Orders>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    /// Behind the last one that was looked at, so that those that stay do not hide the others.
    /// `None` begins with the one that has waited longest.
    place: Option<Position>,
    /// When somebody was last told of questions without an answer, in monotonic time.
    told: Option<Duration>,
}

/// What a turn came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// They have given their units back.
    pub ended: u64,
    /// Their orders are confirmed or not decided yet; they stay as they are.
    pub left: u64,
    /// Nobody could say; they are asked for again.
    pub undecided: u64,
}

impl Expiry {
    pub fn new(inventory: Inventory, orders: Arc<dyn Orders>) -> Self {
        Self { inventory, orders, memory: Arc::default() }
    }

    /// Ends what is due and whose order is over or was never placed. The command looks again: a
    /// reservation that was committed meanwhile stays committed.
    pub async fn expire_due(&self, context: &Context) -> Result<Expired, Error> {
        let mut sum = Expired::default();
        let env = self.inventory.executor.env();
        for _ in 0..ROUNDS {
            if context.remaining(env) < LONGEST_ROUND {
                break;
            }
            let due = self.due().await?;
            let is_last = due.len() < ROUND as usize;
            self.remember(due.last().filter(|_| !is_last));
            let round = self.round(context, due).await?;
            sum.ended += round.ended;
            sum.left += round.left;
            sum.undecided += round.undecided;
            let nobody_answers = round.undecided > 0 && round.ended + round.left == 0;
            let vain = usize::try_from(sum.left + sum.undecided).unwrap_or(usize::MAX);
            if is_last || nobody_answers || vain >= VAIN {
                break;
            }
        }
        Ok(sum)
    }

    async fn due(&self) -> Result<Vec<Versioned<Reservation>>, Error> {
        let now = self.inventory.executor.env().now();
        let mut query =
            Query::new(ROUND).le("expires_at", now).order("expires_at", Direction::Ascending);
        query.after = self.memory().place.clone();
        Ok(self.inventory.store().list::<Reservation>(query).await?)
    }

    /// `last` is `None` when the list has ended: the next turn begins at its head.
    fn remember(&self, last: Option<&Versioned<Reservation>>) {
        let place = last.map(|row| Position { value: row.state.expires_at().into(), id: row.id });
        self.memory().place = place;
    }

    async fn round(
        &self,
        context: &Context,
        due: Vec<Versioned<Reservation>>,
    ) -> Result<Expired, Error> {
        let states = self.ask(context, &due).await;
        let mut sum = Expired::default();
        let mut silence = None;
        let mut ends = Vec::new();
        for (row, state) in due.iter().zip(states) {
            match state {
                Ok(OrderState::Over | OrderState::Absent) => {
                    let settle = Settle::expiry(OrderId::from_uuid(row.id), &row.state.lines);
                    ends.push(self.inventory.executor.execute(context, settle));
                }
                Ok(OrderState::Undecided | OrderState::Confirmed) => {
                    sometimes::reached("a reservation outlived its time for an order that lives");
                    sum.left += 1;
                }
                Err(error) => {
                    sum.undecided += 1;
                    silence = Some(error);
                }
            }
        }
        if let Some(error) = silence {
            self.tell(sum.undecided, &error);
        }
        // One that fails must not keep the others, but it must be heard of.
        let mut failure = None;
        for outcome in join_all(ends).await {
            match outcome {
                Ok(()) => sum.ended += 1,
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(sum), Err)
    }

    /// In the order of `due`.
    async fn ask(
        &self,
        context: &Context,
        due: &[Versioned<Reservation>],
    ) -> Vec<Result<OrderState, NoAnswer>> {
        let questions = due.iter().map(|row| {
            let order = OrderId::from_uuid(row.id);
            let orders = self.orders.clone();
            let env = self.inventory.executor.env().clone();
            let context = context.clone();
            // Its time begins when it is asked, not when the round begins.
            async move { orders.state(&context.with_timeout(&env, PATIENCE), order).await }
        });
        // Collected first: a lazy closure over borrowed rows would make the task's future unprovable.
        let questions: Vec<_> = questions.collect();
        stream::iter(questions).buffered(AT_ONCE).collect().await
    }

    fn tell(&self, undecided: u64, error: &NoAnswer) {
        let now = self.inventory.executor.env().clock.monotonic();
        let mut memory = self.memory();
        if memory.told.is_some_and(|told| now.saturating_sub(told) < TELL_EVERY) {
            return;
        }
        memory.told = Some(now);
        tracing::warn!(
            undecided,
            %error,
            "reservations are due, but nobody says what became of their orders; they are kept"
        );
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
