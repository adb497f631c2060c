//! The order is off: whatever is held goes back, whenever its outcome becomes known.

use platform::sometimes;
use platform::{Context, bug, crash};

use super::transition::{Changed, Transition};
use super::{Error, Payments};
use crate::domain::{OrderId, Payment, PaymentId, Undoing};

impl Payments {
    /// Voids what is authorized, refunds what is captured, resolves what is in doubt, leaves a mark
    /// when there is nothing yet. Unless it is done, work on it goes on, and whoever wants to know
    /// asks again.
    pub async fn cancel(
        &self,
        context: &Context,
        order_id: OrderId,
        reason: String,
    ) -> Result<Undoing, Error> {
        let payment_id = PaymentId::of_order(order_id);
        let provider = self.provider.name().to_owned();
        let command = Transition::new(payment_id, self.outside, move |current, now| {
            Ok(cancelled(current, order_id, &provider, &reason, now, Payment::undoing))
        });
        let undoing = self.executor.execute(context, command).await?;
        if undoing != Undoing::Pending {
            return Ok(undoing);
        }
        crash::point("payment.cancel.after");
        self.resolve(context, payment_id).await?;
        Ok(self.get(payment_id).await?.undoing())
    }
}

/// The change that a cancel makes, with a reply made of the payment after it.
pub(super) fn cancelled<R>(
    current: Option<&Payment>,
    order_id: OrderId,
    provider: &str,
    reason: &str,
    now: kernel::Timestamp,
    reply: impl Fn(&Payment) -> R,
) -> Changed<R> {
    if let Some(current) = current
        && bug::is("forget-void")
    {
        return Changed::nothing(reply(current));
    }
    let Some(current) = current else {
        sometimes::reached("a payment was cancelled before it was asked for");
        let (payment, facts) = Payment::mark(order_id, provider, reason, now);
        let reply = reply(&payment);
        return Changed::to(payment, facts, reply);
    };
    if current.cancelled.is_some() {
        return Changed::nothing(reply(current));
    }
    let mut payment = current.clone();
    let facts = payment.cancel(reason, now);
    let reply = reply(&payment);
    Changed::to(payment, facts, reply)
}
