//! Giving money back because the order is off, or because staff wish so.

use kernel::Timestamp;

use super::payment::{Cancelled, Moment};
use super::{
    Answer, Attempt, Fact, Operation, OrderId, Payment, PaymentId, Progress, RefundId, Rejection,
    Stage, Wish,
};

/// Who asks when a cancelled order does.
const BY_ORDER: &str = "service:payment";
/// Longer reasons are cut: they come from other services.
const REASON_CHARS: usize = 200;

impl Payment {
    /// The mark of a cancel that came before its try: a late try is refused.
    pub fn mark(
        order_id: OrderId,
        provider: &str,
        reason: &str,
        now: Timestamp,
    ) -> (Self, Vec<Fact>) {
        let mut payment = Self {
            id: PaymentId::of_order(order_id),
            order_id,
            provider: provider.to_owned(),
            stage: Stage::Voided { amount: None, charge: None, watch: None },
            cancelled: None,
            timeline: Vec::new(),
            created_at: now,
        };
        payment.note_cancelled(reason, now);
        (payment, vec![Fact::Voided])
    }

    /// The order is off. What is authorized is given back, what is captured is refunded, what is in
    /// doubt is resolved first. Asking twice changes nothing more.
    pub fn cancel(&mut self, reason: &str, now: Timestamp) -> Vec<Fact> {
        if self.cancelled.is_some() {
            return Vec::new();
        }
        self.note_cancelled(reason, now);
        self.hurry(now);
        self.unwind(now)
    }

    fn note_cancelled(&mut self, reason: &str, now: Timestamp) {
        let reason: String = reason.chars().take(REASON_CHARS).collect();
        self.note(now, Moment::Cancelled, None, Some(&reason));
        self.cancelled = Some(Cancelled { at: now, reason });
    }

    /// Whether a cancelled payment holds nothing any more and never will.
    pub fn is_unwound(&self) -> bool {
        match &self.stage {
            Stage::Pending(_) => false,
            Stage::Declined { .. } | Stage::Voided { .. } => true,
            Stage::Authorized(charge) => {
                charge.capturable().is_zero()
                    && !charge.has_pending_capture()
                    && charge.captured() == charge.refunded()
            }
        }
    }

    /// Asks for everything that brings a cancelled payment closer to holding nothing. Captures
    /// under way are waited for: whether to void or to refund depends on them.
    pub(super) fn unwind(&mut self, now: Timestamp) -> Vec<Fact> {
        let (Some(cancelled), Stage::Authorized(charge)) = (&self.cancelled, &mut self.stage)
        else {
            return Vec::new();
        };
        if charge.has_pending_capture() {
            return Vec::new();
        }
        if charge.reference.is_none() {
            // It cost nothing: there is nothing to give back and nobody to ask.
            self.stage =
                Stage::Voided { amount: Some(charge.authorized), charge: None, watch: None };
            self.note(now, Moment::Voided, None, None);
            return vec![Fact::Voided];
        }
        let wish = Wish {
            amount: None,
            reason: Some(cancelled.reason.clone()),
            by: BY_ORDER.to_owned(),
            request: None,
            attempt: Attempt::wanted(now),
        };
        let refund_id = RefundId::of_cancellation(self.id, charge.refunds.len());
        let (held, refundable) = (charge.capturable(), charge.refundable());
        if !held.is_zero() && charge.void.is_none() {
            charge.void = Some(void_of(self.id, held, wish.clone(), now));
            self.note(now, Moment::VoidRequested, Some(held), None);
        }
        if !refundable.is_zero() {
            // Refused only when there are too many refunds already: staff must look at it then.
            if self.request_refund(refund_id, wish, now).is_err() {
                self.note(now, Moment::RefundFailed, Some(refundable), Some("too_many_operations"));
            }
        }
        Vec::new()
    }

    /// Staff want back what was not captured. True when there is something to do at the provider.
    pub fn request_void(&mut self, wish: Wish, now: Timestamp) -> Result<bool, Rejection> {
        if matches!(self.stage, Stage::Voided { .. }) {
            return Ok(false);
        }
        let id = self.id;
        let charge = self.authorized_charge()?;
        match charge.void.as_ref().map(|void| &void.progress) {
            Some(Progress::Done { .. } | Progress::Pending(_)) => return Ok(false),
            Some(Progress::Failed { code, .. }) => {
                return Err(Rejection::VoidRefused { code: code.clone() });
            }
            None => {}
        }
        if charge.has_pending_capture() {
            return Err(Rejection::CapturePending);
        }
        let held = charge.capturable();
        if held.is_zero() || charge.reference.is_none() {
            return Err(Rejection::NothingToVoid);
        }
        charge.void = Some(void_of(id, held, wish, now));
        self.note(now, Moment::VoidRequested, Some(held), None);
        Ok(true)
    }

    /// Records what the provider said of the void.
    pub fn settle_void(&mut self, answer: &Answer, now: Timestamp) -> Vec<Fact> {
        let Stage::Authorized(charge) = &mut self.stage else {
            return Vec::new();
        };
        let Some(void) = charge.void.as_mut().filter(|void| void.is_pending()) else {
            return Vec::new();
        };
        let amount = void.amount;
        if void.settle(answer, now) {
            if !charge.captures.iter().any(Operation::is_done) {
                self.stage = Stage::Voided {
                    amount: Some(charge.authorized),
                    charge: Some(charge.clone()),
                    watch: None,
                };
                self.note(now, Moment::Voided, Some(amount), None);
                return vec![Fact::Voided];
            }
            self.note(now, Moment::Released, Some(amount), None);
        } else if let Answer::Refused { code } = answer {
            self.note(now, Moment::VoidRefused, Some(amount), Some(code));
        }
        Vec::new()
    }

    /// Records whether a charge turned up after the payment was given up: `Done` when there was
    /// one and it went back, `NeverSeen` or `Refused` when there is none.
    pub fn settle_late_charge(&mut self, answer: &Answer, now: Timestamp) -> Vec<Fact> {
        let Stage::Voided { watch, .. } = &mut self.stage else {
            return Vec::new();
        };
        let Some(attempt) = *watch else {
            return Vec::new();
        };
        match answer {
            Answer::Done { .. } => {
                *watch = None;
                self.note(now, Moment::LateChargeVoided, None, None);
            }
            Answer::Refused { .. } | Answer::NeverSeen => *watch = None,
            Answer::Processing | Answer::Unknown => *watch = Some(attempt.again(now)),
        }
        Vec::new()
    }
}

fn void_of(id: PaymentId, held: kernel::Money, wish: Wish, now: Timestamp) -> Operation<PaymentId> {
    Operation {
        id,
        amount: held,
        reason: wish.reason,
        by: wish.by,
        requested_at: now,
        progress: Progress::Pending(wish.attempt),
        request: wish.request,
    }
}
