//! Asking the provider, and recording what it said.

use kernel::Money;
use platform::sometimes;
use platform::{Context, bug, crash};

use super::transition::{Changed, Transition};
use super::{Error, Payments};
use crate::domain::{Answer, Errand, Payment, PaymentId, Rejection, Work};
use crate::ports::Authorization;

impl Payments {
    /// Runs one errand to a recorded outcome, final or not, and returns the payment after it. What
    /// the outcome makes due is started in the background.
    pub(super) async fn run_errand(
        &self,
        context: &Context,
        payment: &Payment,
        errand: Errand,
    ) -> Result<Payment, Error> {
        crash::point("payment.provider.before");
        let answer = self.ask(context, payment, &errand).await;
        crash::point("payment.provider.after");
        let after = self.record(context, payment.id, errand.work, answer).await?;
        crash::point("payment.outcome.after");
        if !after.errands(Some(self.env().now())).is_empty() {
            self.wake(after.id);
        }
        Ok(after)
    }

    /// Within the provider's time-out and the caller's deadline; what takes longer is unknown.
    async fn ask(&self, context: &Context, payment: &Payment, errand: &Errand) -> Answer {
        let limit = context.remaining(self.env()).min(self.provider_timeout);
        let answer = self.env().timeout(limit, self.converse(payment, errand)).await;
        let answer = answer.unwrap_or(Answer::Unknown);
        if answer == Answer::Unknown {
            tracing::warn!(payment = %payment.id, key = errand.key, "provider outcome is unknown");
        }
        answer
    }

    async fn converse(&self, payment: &Payment, errand: &Errand) -> Answer {
        let (provider, key) = (&self.provider, errand.key.as_str());
        if errand.asked_before {
            match (provider.look_up(key).await, &errand.work) {
                // It never heard of the key: asking now is asking for the first time.
                (Answer::NeverSeen, work) if !matches!(work, Work::FindOut | Work::LateCharge) => {
                    sometimes::reached("the provider had never seen a request");
                }
                (answer, _) => {
                    if matches!(answer, Answer::Done { .. }) {
                        sometimes::reached("an unknown outcome was looked up at the provider");
                    }
                    return answer;
                }
            }
        }
        match &errand.work {
            Work::Authorize { amount, token } => {
                let (order_id, mut amount) = (payment.order_id, *amount);
                if bug::is("charge-another-amount") {
                    amount = Money::new(amount.amount_minor() + 1, amount.currency());
                }
                if bug::is("charge-twice") {
                    let key = &format!("{key}-again");
                    provider.authorize(Authorization { key, order_id, amount, token }).await;
                }
                provider.authorize(Authorization { key, order_id, amount, token }).await
            }
            Work::Capture { reference, amount, .. } => {
                provider.capture(key, reference, *amount).await
            }
            Work::Refund { reference, amount, .. } => {
                provider.refund(key, reference, *amount).await
            }
            Work::Void { reference, .. } => provider.void(key, reference).await,
            Work::FindOut | Work::LateCharge => provider.look_up(key).await,
        }
    }

    async fn record(
        &self,
        context: &Context,
        payment_id: PaymentId,
        work: Work,
        answer: Answer,
    ) -> Result<Payment, Error> {
        let cause = work.cause();
        let kept = work.gives_back() && matches!(answer, Answer::Refused { .. });
        let command = Transition::new(payment_id, self.outside, move |current, now| {
            let current = current.ok_or(Rejection::NoPayment)?;
            let mut payment = current.clone();
            let facts = payment.settle(&work, &answer, now);
            if payment == *current {
                return Ok(Changed::nothing(payment));
            }
            let reply = payment.clone();
            Ok(Changed::to(payment, facts, reply))
        });
        let recording = self.recording(context);
        let payment = self.executor.execute(&recording, command.moving(cause)).await?;
        if kept {
            sometimes::reached("the provider refused to give money back");
        }
        if kept && payment.attention_since().is_some() {
            (self.outside.alarm)(&payment);
        }
        Ok(payment)
    }
}
