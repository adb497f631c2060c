//! Staff take what was authorized, all of it or a part.

use kernel::Money;
use platform::Context;
use platform::idempotency::{IdempotencyKey, Idempotent};

use super::transition::{Changed, Transition, request_of};
use super::{Error, Payments};
use crate::domain::{Attempt, CaptureId, Payment, PaymentId, Rejection, Wish};

impl Payments {
    /// Captures `amount`, or all that is left. The payment in the answer shows the capture as done,
    /// failed, or pending when the provider's answer is not known yet.
    pub async fn capture(
        &self,
        context: &Context,
        key: IdempotencyKey,
        payment_id: PaymentId,
        amount: Option<Money>,
    ) -> Result<(Payment, CaptureId), Error> {
        let id: CaptureId = self.env().id();
        let (by, request, patience) =
            (context.principal.owner(), request_of(&key), self.patience());
        let command = Transition::new(payment_id, self.outside, move |current, now| {
            let mut payment = current.cloned().ok_or(Rejection::NoPayment)?;
            let wish = Wish {
                amount,
                reason: None,
                by: by.clone(),
                request: Some(request.clone()),
                attempt: Attempt::asking(now, patience),
            };
            payment.request_capture(id, wish, now)?;
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
