//! What becomes of an order becomes of its payment. An event only records what is wanted; the
//! provider is asked afterwards, so that a slow one never holds up the bus.

use platform::event::Envelope;

use super::cancel::cancelled;
use super::transition::{Changed, Transition};
use super::{Error, Payments};
use crate::domain::{Attempt, CaptureId, OrderId, Payment, PaymentId, Wish};

/// The consumer of ordering's events.
pub const CONSUMER: &str = "payment.orders";

impl Payments {
    /// The order is confirmed and the shop captures at once: wants the whole amount.
    pub async fn capture_confirmed(
        &self,
        envelope: &Envelope,
        order_id: OrderId,
    ) -> Result<(), Error> {
        let payment_id = PaymentId::of_order(order_id);
        let command = Transition::new(payment_id, self.outside, move |current, now| {
            let Some(mut payment) = current.cloned() else {
                return Ok(Changed::nothing(()));
            };
            let wish = Wish {
                amount: None,
                reason: None,
                by: "service:ordering".to_owned(),
                request: None,
                attempt: Attempt::wanted(now),
            };
            let untouched = payment.charge().is_some_and(|charge| charge.captures.is_empty());
            // Cancelled or captured by staff meanwhile: then this capture is not wanted any more.
            let wanted = untouched
                && payment.request_capture(CaptureId::automatic(payment_id), wish, now).is_ok();
            Ok(if wanted { Changed::to(payment, Vec::new(), ()) } else { Changed::nothing(()) })
        });
        self.executor.consume(CONSUMER, envelope, command).await?;
        self.wake(payment_id);
        Ok(())
    }

    /// The order was rejected or cancelled: voids, refunds, or leaves a mark.
    pub async fn cancel_ended(
        &self,
        envelope: &Envelope,
        order_id: OrderId,
        reason: String,
    ) -> Result<(), Error> {
        let payment_id = PaymentId::of_order(order_id);
        let provider = self.provider.name().to_owned();
        let command = Transition::new(payment_id, self.outside, move |current, now| {
            Ok(cancelled(current, order_id, &provider, &reason, now, |_: &Payment| ()))
        });
        self.executor.consume(CONSUMER, envelope, command).await?;
        self.wake(payment_id);
        Ok(())
    }
}
