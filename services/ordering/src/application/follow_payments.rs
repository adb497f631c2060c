//! What payment tells becomes the payment status of the order.

use kernel::Timestamp;
use platform::event::{Envelope, HandleError};
use platform::executor::{Command, Keys, States};

use super::app::App;
use super::error::Error;
use crate::domain::ids::PaymentId;
use crate::domain::{Order, OrderId};

/// What happened to the money of an order. Sums are of all so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentFact {
    Captured { payment: PaymentId, amount_minor: i64, captured_minor: i64 },
    Refunded { amount_minor: i64, refunded_minor: i64 },
    Voided,
}

struct FollowPayment {
    order: OrderId,
    fact: PaymentFact,
    at: Timestamp,
}

impl Command for FollowPayment {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Order>(self.order.uuid());
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<(), Error> {
        let id = self.order.uuid();
        let Some(order) = states.get::<Order>(id) else {
            return Ok(());
        };
        let mut changed = order.clone();
        match self.fact {
            PaymentFact::Captured { payment, amount_minor, captured_minor } => {
                changed.captured(payment, amount_minor, captured_minor, self.at);
            }
            PaymentFact::Refunded { amount_minor, refunded_minor } => {
                changed.refunded(amount_minor, refunded_minor, self.at);
            }
            PaymentFact::Voided => changed.voided(self.at),
        }
        if changed != *order {
            states.put(id, changed);
        }
        Ok(())
    }
}

impl App {
    /// Exactly once for each event of `consumer`.
    pub async fn follow_payment(
        &self,
        consumer: &'static str,
        envelope: &Envelope,
        order: OrderId,
        fact: PaymentFact,
    ) -> Result<(), HandleError> {
        let command = FollowPayment { order, fact, at: envelope.time };
        let outcome = self.executor.consume(consumer, envelope, command).await;
        outcome.map_err(|error| match error {
            Error::Store(error) => error.into(),
            other => HandleError::new(other),
        })
    }
}
