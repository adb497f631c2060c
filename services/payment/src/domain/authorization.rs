//! Asking for an authorization, and hearing of it.

use std::time::Duration;

use kernel::{Money, Timestamp};

use super::payment::{Doubt, Moment, Request};
use super::{
    Answer, Attempt, Charge, Fact, OrderId, Payment, PaymentId, PaymentToken, Rejection, Stage,
};

/// How long after a look-up that found nothing a request of ours may still arrive.
const LATE_CHARGE_WATCH: Duration = Duration::from_mins(1);

/// What an order asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayment {
    pub order_id: OrderId,
    pub amount: Money,
    /// `None` only when the amount is zero.
    pub token: Option<PaymentToken>,
    pub provider: String,
}

/// What is known of an authorization, for the one who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Authorized,
    Declined { code: String },
    Unknown,
    Voided,
}

/// What to do after an authorization was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The intent stands: ask the provider.
    Ask,
    /// Somebody asked before and the outcome is in doubt: look it up. Safe while the first request
    /// is still on its way, because asking again under the same key charges nothing again.
    LookUp,
    Known(Outcome),
}

impl NewPayment {
    fn check(&self) -> Result<(), Rejection> {
        let asked = self.amount.amount_minor();
        let range = if self.token.is_some() { 0..=Money::LIMIT } else { 0..=0 };
        if range.contains(&asked) { Ok(()) } else { Err(Rejection::BadAmount { asked }) }
    }

    /// The first request of an order: an intent that the caller has `patience` to follow up.
    /// An order that costs nothing is authorized without a provider.
    pub fn begin(
        self,
        patience: Duration,
        now: Timestamp,
    ) -> Result<(Payment, Begun, Vec<Fact>), Rejection> {
        self.check()?;
        let amount = self.amount;
        let (stage, begun, facts) = match self.token {
            Some(token) if !amount.is_zero() => {
                let request = Request {
                    amount,
                    token,
                    doubt: Doubt::Asking,
                    attempt: Attempt::asking(now, patience),
                };
                (Stage::Pending(request), Begun::Ask, Vec::new())
            }
            _ => (
                Stage::Authorized(Charge::new(amount, None)),
                Begun::Known(Outcome::Authorized),
                vec![Fact::Authorized { amount }],
            ),
        };
        let mut payment = Payment {
            id: PaymentId::of_order(self.order_id),
            order_id: self.order_id,
            provider: self.provider,
            stage,
            cancelled: None,
            timeline: Vec::new(),
            created_at: now,
        };
        if amount.is_zero() {
            payment.note(now, Moment::Authorized, Some(amount), None);
        }
        Ok((payment, begun, facts))
    }
}

impl Payment {
    /// An authorization is asked for again. The first request decides: another amount is refused,
    /// another token is not looked at.
    pub fn begin_again(&self, asked: Money) -> Result<Begun, Rejection> {
        match self.amount() {
            Some(recorded) if recorded != asked => {
                return Err(Rejection::AmountMismatch { recorded, asked });
            }
            _ => {}
        }
        Ok(match &self.stage {
            Stage::Pending(_) if self.cancelled.is_none() => Begun::LookUp,
            _ => Begun::Known(self.outcome()),
        })
    }

    /// What the order may know of its authorization.
    pub fn outcome(&self) -> Outcome {
        match &self.stage {
            Stage::Declined { code, .. } => Outcome::Declined { code: code.clone() },
            _ if self.cancelled.is_some() => Outcome::Voided,
            Stage::Pending(_) => Outcome::Unknown,
            Stage::Authorized(_) => Outcome::Authorized,
            Stage::Voided { .. } => Outcome::Voided,
        }
    }

    /// Records what the provider said of the authorization. Only the first final answer counts; a
    /// charge that turns up after the payment was given up goes back.
    pub fn settle_authorization(&mut self, answer: &Answer, now: Timestamp) -> Vec<Fact> {
        match &mut self.stage {
            Stage::Pending(_) => self.settle_request(answer, now),
            Stage::Voided { .. } => match answer {
                Answer::Done { reference } => self.late_charge(reference, now),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn settle_request(&mut self, answer: &Answer, now: Timestamp) -> Vec<Fact> {
        let cancelled = self.cancelled.is_some();
        let Stage::Pending(request) = &mut self.stage else {
            return Vec::new();
        };
        let amount = request.amount;
        let mut facts = Vec::new();
        match answer {
            Answer::Done { reference } => {
                self.stage = Stage::Authorized(Charge::new(amount, Some(reference.clone())));
                self.note(now, Moment::Authorized, Some(amount), None);
                facts.push(Fact::Authorized { amount });
                facts.extend(self.unwind(now));
            }
            Answer::Refused { code } => {
                let code = code.clone();
                self.note(now, Moment::Declined, Some(amount), Some(&code));
                self.stage = Stage::Declined { amount, code: code.clone() };
                facts.push(Fact::Declined { code });
            }
            Answer::NeverSeen if cancelled => {
                self.stage = Stage::Voided {
                    amount: Some(amount),
                    charge: None,
                    watch: Some(Attempt { tries: 1, next_at: now.plus(LATE_CHARGE_WATCH) }),
                };
                self.note(now, Moment::Voided, None, None);
                facts.push(Fact::Voided);
            }
            Answer::Processing => self.doubt(Doubt::Processing, Moment::Processing, now),
            Answer::NeverSeen | Answer::Unknown => {
                self.doubt(Doubt::Unknown, Moment::OutcomeUnknown, now);
            }
        }
        facts
    }

    fn doubt(&mut self, doubt: Doubt, moment: Moment, now: Timestamp) {
        let Stage::Pending(request) = &mut self.stage else {
            return;
        };
        request.attempt = request.attempt.again(now);
        // A doubt that changes back and forth must not fill the timeline.
        let news = request.doubt != doubt && self.timeline.len() < 20;
        request.doubt = doubt;
        if news {
            self.note(now, moment, None, None);
        }
    }
}
