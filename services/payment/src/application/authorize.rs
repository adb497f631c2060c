//! An order asks for its money to be held. Two commits: the intent, and what the provider said.

use platform::{Context, crash};

use super::transition::{Changed, Transition};
use super::{Error, Payments};
use crate::domain::{Begun, NewPayment, Outcome, Payment, PaymentId};

impl Payments {
    /// Idempotent by order: whoever asks again gets the recorded outcome, or has a doubtful one
    /// looked up. The order is never charged twice.
    pub async fn authorize(&self, context: &Context, new: NewPayment) -> Result<Outcome, Error> {
        let payment_id = PaymentId::of_order(new.order_id);
        let Some(_claim) = self.claim(payment_id) else {
            return Ok(Outcome::Unknown);
        };
        let (payment, begun) = self.begin(context, payment_id, new).await?;
        crash::point("payment.intent.after");
        let key = payment_id.to_string();
        let errand = match begun {
            Begun::Known(outcome) => return Ok(outcome),
            Begun::Ask => payment.first_errand(&key),
            Begun::LookUp => payment.errands(None).into_iter().next(),
        };
        let Some(errand) = errand else {
            return Ok(payment.outcome());
        };
        Ok(self.run_errand(context, &payment, errand).await?.outcome())
    }

    async fn begin(
        &self,
        context: &Context,
        payment_id: PaymentId,
        new: NewPayment,
    ) -> Result<(Payment, Begun), Error> {
        let patience = self.patience();
        let command = Transition::new(payment_id, self.outside, move |current, now| {
            if let Some(payment) = current {
                let begun = payment.begin_again(new.amount)?;
                return Ok(Changed::nothing((payment.clone(), begun)));
            }
            let (payment, begun, facts) = new.clone().begin(patience, now)?;
            let reply = (payment.clone(), begun);
            Ok(Changed::to(payment, facts, reply))
        });
        self.executor.execute(context, command).await
    }
}
