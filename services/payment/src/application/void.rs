//! Staff give back what is authorized and not captured.

use platform::Context;
use platform::idempotency::{IdempotencyKey, Idempotent, SavedResponse};

use super::transition::{Changed, Transition, request_of};
use super::{Error, Payments};
use crate::domain::{Attempt, Payment, PaymentId, Rejection, Wish};

impl Payments {
    /// Idempotent by nature: a payment has one void, whoever asks how often; only one that the
    /// provider refused is asked for anew. `answer` is what a request with a key gets, in the same
    /// commit, when there is nothing left to ask for.
    pub async fn void(
        &self,
        context: &Context,
        key: Option<IdempotencyKey>,
        payment_id: PaymentId,
        answer: fn(&Payment) -> SavedResponse,
    ) -> Result<Payment, Error> {
        let (by, patience) = (context.principal.owner(), self.patience());
        let request = key.as_ref().map(request_of);
        let once = key.clone().map(Idempotent::begin);
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
                let response = answer(&payment);
                return Ok(Changed::nothing((payment, false)).answered(key.clone(), response));
            }
            let reply = (payment.clone(), true);
            Ok(Changed::to(payment, Vec::new(), reply))
        });
        let (payment, begun) = self.executor.execute_once(context, once, command).await?;
        match payment.first_void().filter(|_| begun) {
            Some(errand) => self.run_errand(context, &payment, errand).await,
            None => Ok(payment),
        }
    }
}
