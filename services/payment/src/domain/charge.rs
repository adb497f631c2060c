//! An authorization and what was made of it: captures and refunds.

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::payment::Moment;
use super::{
    Answer, Attempt, CaptureId, Fact, Operation, Payment, PaymentId, Progress, RefundId, Rejection,
    RequestKey, Stage, Status,
};

/// Invariant: `refunded ≤ captured ≤ authorized`, with operations under way counted as done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    pub authorized: Money,
    /// `None` only for an order that costs nothing: no provider knows of it.
    pub reference: Option<String>,
    #[serde(default)]
    pub captures: Vec<Operation<CaptureId>>,
    #[serde(default)]
    pub refunds: Vec<Operation<RefundId>>,
    #[serde(default)]
    pub void: Option<Operation<PaymentId>>,
    /// It turned up after the payment was given up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// What somebody wants captured, refunded or voided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// `None`: all that is left.
    pub amount: Option<Money>,
    pub reason: Option<String>,
    pub by: String,
    pub request: Option<RequestKey>,
    pub attempt: Attempt,
}

/// Operations of a kind that may be asked for. What a cancelled order gives back is not refused for
/// their number: it makes one refund, and one more at most for each that failed.
pub const MAX_OPERATIONS: usize = 50;

fn sum<I>(operations: &[Operation<I>], counts: impl Fn(&Operation<I>) -> bool) -> i64 {
    operations.iter().filter(|o| counts(o)).map(|o| o.amount.amount_minor()).sum()
}

fn committed<I>(operation: &Operation<I>) -> bool {
    operation.is_done() || operation.is_pending()
}

impl Charge {
    pub const fn new(authorized: Money, reference: Option<String>) -> Self {
        Self {
            authorized,
            reference,
            captures: Vec::new(),
            refunds: Vec::new(),
            void: None,
            late: false,
        }
    }

    fn money(&self, amount_minor: i64) -> Money {
        Money::new(amount_minor, self.authorized.currency())
    }

    pub fn captured(&self) -> Money {
        self.money(sum(&self.captures, Operation::is_done))
    }

    pub fn refunded(&self) -> Money {
        self.money(sum(&self.refunds, Operation::is_done))
    }

    /// Given back without having been captured.
    pub fn is_released(&self) -> bool {
        self.void.as_ref().is_some_and(Operation::is_done)
    }

    /// What a capture may still take.
    pub fn capturable(&self) -> Money {
        if self.is_released() {
            return self.money(0);
        }
        self.money(self.authorized.amount_minor() - sum(&self.captures, committed))
    }

    /// What a refund may still give back.
    pub fn refundable(&self) -> Money {
        self.money(self.captured().amount_minor() - sum(&self.refunds, committed))
    }

    pub fn has_pending_capture(&self) -> bool {
        self.captures.iter().any(Operation::is_pending)
    }

    pub fn status(&self) -> Status {
        let (captured, refunded) = (self.captured(), self.refunded());
        match (captured.amount_minor(), refunded.amount_minor()) {
            (0, _) => Status::Authorized,
            (captured, 0) if captured < self.authorized.amount_minor() && !self.is_released() => {
                Status::PartiallyCaptured
            }
            (_, 0) => Status::Captured,
            (captured, refunded) if refunded < captured => Status::PartiallyRefunded,
            _ => Status::Refunded,
        }
    }
}

fn wished(amount: Option<Money>, left: Money) -> Result<Money, Rejection> {
    let amount = amount.unwrap_or(left);
    let (asked, expected) = (amount.currency(), left.currency());
    if asked != expected {
        return Err(Rejection::WrongCurrency { asked, expected });
    }
    if amount.amount_minor() <= 0 {
        return Err(Rejection::NotPositive);
    }
    Ok(amount)
}

fn operation<I>(id: I, amount: Money, wish: Wish, now: Timestamp) -> Operation<I> {
    Operation {
        id,
        amount,
        reason: wish.reason,
        by: wish.by,
        requested_at: now,
        progress: Progress::Pending(wish.attempt),
        request: wish.request,
        refused: None,
    }
}

fn room<I>(operations: &[Operation<I>]) -> Result<(), Rejection> {
    if operations.len() < MAX_OPERATIONS {
        return Ok(());
    }
    Err(Rejection::TooManyOperations { limit: MAX_OPERATIONS })
}

impl Payment {
    pub(super) fn authorized_charge(&mut self) -> Result<&mut Charge, Rejection> {
        let status = self.status();
        match &mut self.stage {
            Stage::Authorized(charge) => Ok(charge),
            _ => Err(Rejection::NotAuthorized { status }),
        }
    }

    /// Records that a capture is wanted. What is captured or being captured never exceeds the
    /// authorization.
    pub fn request_capture(
        &mut self,
        id: CaptureId,
        wish: Wish,
        now: Timestamp,
    ) -> Result<Money, Rejection> {
        if self.cancelled.is_some() {
            return Err(Rejection::Cancelled);
        }
        let charge = self.authorized_charge()?;
        if charge.void.as_ref().is_some_and(Operation::is_pending) {
            return Err(Rejection::BeingVoided);
        }
        let allowed = charge.capturable();
        if allowed.is_zero() {
            return Err(Rejection::NothingToCapture);
        }
        room(&charge.captures)?;
        let asked = wished(wish.amount, allowed)?;
        if asked.amount_minor() > allowed.amount_minor() {
            return Err(Rejection::CaptureTooLarge { asked, allowed });
        }
        charge.captures.push(operation(id, asked, wish, now));
        self.note(now, Moment::CaptureRequested, Some(asked), None);
        Ok(asked)
    }

    /// Records that a refund is wanted. What is refunded or being refunded never exceeds what is
    /// captured.
    pub fn request_refund(
        &mut self,
        id: RefundId,
        wish: Wish,
        now: Timestamp,
    ) -> Result<Money, Rejection> {
        let charge = self.authorized_charge()?;
        let allowed = charge.refundable();
        if allowed.is_zero() {
            return Err(Rejection::NothingToRefund);
        }
        room(&charge.refunds)?;
        let asked = wished(wish.amount, allowed)?;
        if asked.amount_minor() > allowed.amount_minor() {
            return Err(Rejection::RefundTooLarge { asked, allowed });
        }
        self.add_refund(id, asked, wish, now);
        Ok(asked)
    }

    pub(super) fn add_refund(&mut self, id: RefundId, asked: Money, wish: Wish, now: Timestamp) {
        let Stage::Authorized(charge) = &mut self.stage else {
            return;
        };
        let reason = wish.reason.clone();
        charge.refunds.push(operation(id, asked, wish, now));
        self.note(now, Moment::RefundRequested, Some(asked), reason.as_deref());
    }

    /// Records what the provider said of a capture. An answer to one already settled, or to one
    /// that is not ours, changes nothing.
    pub fn settle_capture(&mut self, id: CaptureId, answer: &Answer, now: Timestamp) -> Vec<Fact> {
        let Stage::Authorized(charge) = &mut self.stage else {
            return Vec::new();
        };
        let Some(capture) = charge.captures.iter_mut().find(|c| c.id == id && c.is_pending())
        else {
            return Vec::new();
        };
        let (amount, done) = (capture.amount, capture.settle(answer, now));
        let total = charge.captured();
        let mut facts = Vec::new();
        if done {
            self.note(now, Moment::Captured, Some(amount), None);
            facts.push(Fact::Captured { capture: id, amount, total });
        } else if let Answer::Refused { code } = answer {
            self.note(now, Moment::CaptureFailed, Some(amount), Some(code));
        }
        facts.extend(self.unwind(now));
        facts
    }

    /// Records what the provider said of a refund, as [`Self::settle_void`] does. A refused refund
    /// of staff has failed; what it was to give back of a cancelled order is then asked for by us.
    pub fn settle_refund(
        &mut self,
        id: RefundId,
        round: u32,
        answer: &Answer,
        now: Timestamp,
    ) -> Vec<Fact> {
        let Stage::Authorized(charge) = &mut self.stage else {
            return Vec::new();
        };
        let current =
            |refund: &&mut Operation<RefundId>| refund.id == id && refund.round() == round;
        let refund = charge.refunds.iter_mut().find(current).filter(|refund| refund.is_pending());
        let Some(refund) = refund else {
            return Vec::new();
        };
        let amount = refund.amount;
        if refund.settle(answer, now) {
            let total = charge.refunded();
            self.note(now, Moment::Refunded, Some(amount), None);
            return vec![Fact::Refunded { refund: id, amount, total }];
        }
        if refund.is_failed() {
            if Self::is_of_cancellation(refund) {
                refund.ask_anew(amount, Attempt::after_refusal(now, refund.round()));
            }
            let refused = refund.refused.clone();
            self.note_refusal(Moment::RefundFailed, amount, refused.as_ref(), now);
            return self.unwind(now);
        }
        Vec::new()
    }
}
