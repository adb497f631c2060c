//! Staff give back what was captured, all of it or a part.

use kernel::Money;
use platform::idempotency::{IdempotencyKey, Idempotent};
use platform::{Context, bug};

use super::transition::{Changed, Transition, request_of};
use super::{Error, Payments};
use crate::domain::{Attempt, Payment, PaymentId, RefundId, Rejection, Wish};

impl Payments {
    /// Refunds `amount`, or all that is left; otherwise as [`Payments::capture`].
    pub async fn refund(
        &self,
        context: &Context,
        key: IdempotencyKey,
        payment_id: PaymentId,
        amount: Option<Money>,
        reason: String,
    ) -> Result<(Payment, RefundId), Error> {
        let mut id: RefundId = self.env().id();
        if bug::is("same-refund-id") {
            id = RefundId::of_cancellation(payment_id, 0);
        }
        let (by, request, patience) =
            (context.principal.owner(), request_of(&key), self.patience());
        let command = Transition::new(payment_id, self.outside, move |current, now| {
            let mut payment = current.cloned().ok_or(Rejection::NoPayment)?;
            let wish = Wish {
                amount,
                reason: Some(reason.clone()),
                by: by.clone(),
                request: Some(request.clone()),
                attempt: Attempt::asking(now, patience),
            };
            payment.request_refund(id, wish, now)?;
            let reply = payment.clone();
            Ok(Changed::to(payment, Vec::new(), reply))
        });
        let once = Idempotent::begin(key);
        let payment = self.executor.execute_once(context, Some(once), command).await?;
        let Some(errand) = payment.first_errand(&id.to_string()) else {
            return Ok((payment, id));
        };
        Ok((self.run_errand(context, &payment, errand).await?, id))
    }
}
