//! What is outstanding at the provider is asked for again, until its outcome is known.

use std::time::Duration;

use futures_util::StreamExt;
use platform::Context;
use platform::store::{Direction, Position, Query};

use super::{Error, Payments};
use crate::domain::{Payment, PaymentId};

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
        let mut after: Option<Position> = None;
        for _ in 0..PAGES {
            let mut query = Query::new(PAGE)
                .gt("next_check_at", 0_i64)
                .le("next_check_at", self.env().now())
                .order("next_check_at", Direction::Ascending);
            // One that cannot be resolved now must not keep the others waiting.
            if let Some(after) = after.take() {
                query = query.after(after);
            }
            let due = self.executor.store().list::<Payment>(query).await?;
            after = due
                .last()
                .filter(|_| due.len() == PAGE as usize)
                .map(|last| Position { value: last.state.next_check_at().into(), id: last.id });
            futures_util::stream::iter(due)
                .for_each_concurrent(AT_ONCE, |payment| async move {
                    if let Err(error) = self.resolve(context, payment.state.id).await {
                        tracing::warn!(payment = %payment.state.id, %error, "not reconciled");
                    }
                })
                .await;
            if after.is_none() {
                break;
            }
        }
        Ok(())
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
