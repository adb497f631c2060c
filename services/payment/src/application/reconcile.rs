//! What is outstanding at the provider is asked for again, until its outcome is known.

use std::time::Duration;

use futures_util::StreamExt;
use platform::Context;
use platform::store::{Direction, Position, Query};

use super::transition::{Changed, Transition};
use super::{Error, Payments};
use crate::domain::attempt::LONGEST_WAIT;
use crate::domain::{Payment, PaymentId, Rejection};

/// Payments that are looked at in one go.
const PAGE: u32 = 64;
/// Pages of one run; what is left then waits for the next run.
const PAGES: u32 = 50;
/// Payments that are resolved at the same time.
const AT_ONCE: usize = 16;
/// How far one payment is taken in one go: a look-up, a void or capture, a refund, and room.
const ROUNDS: u32 = 8;
/// For work in the background, all rounds together.
const BACKGROUND_TIME: Duration = Duration::from_mins(1);

impl Payments {
    /// Resolves everything that is due. Two at the same time, here or in another process, do no
    /// harm: the provider acts once per key, and only the first outcome is recorded.
    pub async fn reconcile(&self, context: &Context) -> Result<(), Error> {
        let now = self.env().now();
        let due = Query::new(PAGE)
            .gt("next_check_at", 0_i64)
            .le("next_check_at", now)
            .order("next_check_at", Direction::Ascending);
        self.resolve_all(context, due).await?;
        // What was put off before the clock was set back, the furthest first; and refused ones,
        // which may wait for so long.
        let far = Query::new(PAGE)
            .gt("next_check_at", now.plus(LONGEST_WAIT))
            .order("next_check_at", Direction::Descending);
        self.resolve_all(context, far).await
    }

    /// Page by page, until nothing of a page is due.
    async fn resolve_all(&self, context: &Context, query: Query) -> Result<(), Error> {
        let mut after: Option<Position> = None;
        for _ in 0..PAGES {
            let mut query = query.clone();
            // One that cannot be resolved now must not keep the others waiting.
            if let Some(after) = after.take() {
                query = query.after(after);
            }
            let mut found = self.executor.store().list::<Payment>(query).await?;
            after = found
                .last()
                .filter(|_| found.len() == PAGE as usize)
                .map(|last| Position { value: last.state.next_check_at().into(), id: last.id });
            let now = self.env().now();
            found.retain(|payment| payment.state.wants_a_look(now));
            if found.is_empty() {
                break;
            }
            futures_util::stream::iter(found)
                .for_each_concurrent(AT_ONCE, |payment| async move {
                    let (id, payment) = (payment.state.id, payment.state);
                    let outcome = if payment.next_check_at().is_some() {
                        self.resolve(context, id).await
                    } else {
                        self.take_up(context, id).await
                    };
                    if let Err(error) = outcome {
                        tracing::warn!(payment = %id, %error, "not reconciled");
                    }
                })
                .await;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// A payment that a migration marked as due: an earlier version gave up what it should not have.
    async fn take_up(&self, context: &Context, payment_id: PaymentId) -> Result<(), Error> {
        let command = Transition::new(payment_id, self.outside, |current, now| {
            let mut payment = current.cloned().ok_or(Rejection::NoPayment)?;
            let facts = payment.take_up(now);
            Ok(Changed::to(payment, facts, ()))
        });
        self.executor.execute(context, command).await
    }

    /// Runs what is due of one payment, and what that makes due.
    pub(super) async fn resolve(
        &self,
        context: &Context,
        payment_id: PaymentId,
    ) -> Result<(), Error> {
        let Some(_claim) = self.claim(payment_id) else {
            return Ok(());
        };
        for _ in 0..ROUNDS {
            let Some(payment) = self.executor.store().get::<Payment>(payment_id.uuid()).await?
            else {
                return Ok(());
            };
            let errands = payment.state.errands(Some(self.env().now()));
            if errands.is_empty() {
                return Ok(());
            }
            for errand in errands {
                self.run_errand(context, &payment.state, errand).await?;
            }
        }
        Ok(())
    }

    /// Resolves a payment in the background, now. When too many are at it the next run of
    /// [`Payments::reconcile`] does it.
    pub(super) fn wake(&self, payment_id: PaymentId) {
        let Ok(permit) = self.workers.clone().try_acquire_owned() else {
            return;
        };
        let this = self.clone();
        self.env().spawn("payment.resolve", async move {
            let context = Context::background(this.env(), "payment", BACKGROUND_TIME);
            if let Err(error) = this.resolve(&context, payment_id).await {
                tracing::warn!(payment = %payment_id, %error, "not resolved, will be tried again");
            }
            drop(permit);
        });
    }
}
