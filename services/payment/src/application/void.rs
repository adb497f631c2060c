//! Staff give back what is authorized and not captured.

use platform::Context;
use platform::idempotency::{IdempotencyKey, Idempotent, SavedResponse};

use super::transition::{Changed, Finish, Transition, request_of};
use super::{Error, Payments};
use crate::domain::{Attempt, Payment, PaymentId, Rejection, Wish};

impl Payments {
    /// Idempotent by nature: a payment has one void, whoever asks how often. `answer` is what a
    /// request with a key gets when there was nothing left to do.
    pub async fn void(
        &self,
        context: &Context,
        key: Option<IdempotencyKey>,
        payment_id: PaymentId,
        answer: fn(&Payment) -> SavedResponse,
    ) -> Result<Payment, Error> {
        let (by, patience) = (context.principal.owner(), self.patience());
        let request = key.as_ref().map(request_of);
        let command = Transition::new(payment_id, self.outside, move |current, now| {
            let mut payment = current.cloned().ok_or(Rejection::NoPayment)?;
            let wish = Wish {
                amount: None,
                reason: None,
                by: by.clone(),
                request: request.clone(),
                attempt: Attempt::asking(now, patience),
            };
            if !payment.request_void(wish, now)? {
                return Ok(Changed::nothing((payment, false)));
            }
            let reply = (payment.clone(), true);
            Ok(Changed::to(payment, Vec::new(), reply))
        });
        let once = key.clone().map(Idempotent::begin);
        let (payment, begun) = self.executor.execute_once(context, once, command).await?;
        if let Some(errand) = payment.first_errand(&payment_id.void_key()).filter(|_| begun) {
            return self.run_errand(context, &payment, errand).await;
        }
        if let Some(key) = key {
            let finish = Finish { key, response: answer(&payment) };
            self.executor.execute(&self.recording(context), finish).await?;
        }
        Ok(payment)
    }
}
