//! Giving money back because the order is off, or because staff wish so.

use kernel::Timestamp;

use super::payment::{Cancelled, Moment};
use super::{
    Answer, Attempt, Charge, Fact, Operation, OrderId, Payment, PaymentId, Progress, RefundId,
    Refused, Rejection, Stage, Wish,
};

/// Who asks when a cancelled order does.
const BY_ORDER: &str = "service:payment";
/// Longer reasons are cut: they come from other services.
const REASON_CHARS: usize = 200;
/// From here on a refusal is told only when it is the first of its operation.
const MANY_ENTRIES: usize = 200;

/// How far a cancelled payment is on its way back to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undoing {
    /// Nothing is held any more and never will be.
    Done,
    /// The provider has not answered, or not for good.
    Pending,
    /// The provider refuses. It is asked again and again; meanwhile nothing more can be taken.
    Refused,
}

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

    /// How far it is, for whoever cancelled the order.
    pub fn undoing(&self) -> Undoing {
        if self.is_unwound() {
            Undoing::Done
        } else if self.attention_since().is_some() {
            Undoing::Refused
        } else {
            Undoing::Pending
        }
    }

    /// Since when the provider refuses to give back what a cancelled order holds. It is asked again,
    /// but somebody should look.
    pub fn attention_since(&self) -> Option<Timestamp> {
        let charge = self.charge().filter(|_| self.cancelled.is_some())?;
        let void = charge.void.iter().filter_map(Operation::refusal);
        let refunds = charge.refunds.iter().filter_map(Operation::refusal);
        void.chain(refunds).map(|refused| refused.since).min()
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
        let void_stands = charge.void.as_ref().is_some_and(|void| !void.is_failed());
        if !held.is_zero() && !void_stands {
            match &mut charge.void {
                Some(void) => void.ask_anew(held, wish.attempt),
                None => charge.void = Some(void_of(self.id, held, wish.clone(), now)),
            }
            self.note(now, Moment::VoidRequested, Some(held), None);
        }
        if !refundable.is_zero() {
            self.add_refund(refund_id, refundable, wish, now);
        }
        Vec::new()
    }

    /// Goes on with what a cancel began and somebody gave up.
    pub fn take_up(&mut self, now: Timestamp) -> Vec<Fact> {
        self.unwind(now)
    }

    /// Whether it was us who asked for a refund, because the order is off.
    pub(super) fn is_of_cancellation(refund: &Operation<RefundId>) -> bool {
        refund.by == BY_ORDER
    }

    /// Tells of a refusal, but not of each one of a provider that goes on refusing.
    pub(super) fn note_refusal(
        &mut self,
        what: Moment,
        amount: kernel::Money,
        refused: Option<&Refused>,
        now: Timestamp,
    ) {
        let Some(Refused { times, code, .. }) = refused else {
            return;
        };
        let told = self.timeline.iter().rev().find(|entry| entry.what == what);
        let news = told.is_none_or(|entry| entry.detail.as_deref() != Some(code));
        if *times == 1 || (news && self.timeline.len() < MANY_ENTRIES) {
            self.note(now, what, Some(amount), Some(code));
        }
    }

    /// Staff want back what was not captured. True when there is something to do at the provider.
    pub fn request_void(&mut self, wish: Wish, now: Timestamp) -> Result<bool, Rejection> {
        if matches!(self.stage, Stage::Voided { .. }) {
            return Ok(false);
        }
        let id = self.id;
        let charge = self.authorized_charge()?;
        if charge.void.as_ref().is_some_and(|void| !void.is_failed()) {
            return Ok(false);
        }
        if charge.has_pending_capture() {
            return Err(Rejection::CapturePending);
        }
        let held = charge.capturable();
        if held.is_zero() || charge.reference.is_none() {
            return Err(Rejection::NothingToVoid);
        }
        charge.void = Some(match charge.void.take() {
            None => void_of(id, held, wish, now),
            Some(mut refused) => {
                refused.ask_anew(held, wish.attempt);
                Operation { by: wish.by, request: wish.request, requested_at: now, ..refused }
            }
        });
        self.note(now, Moment::VoidRequested, Some(held), None);
        Ok(true)
    }

    /// Records what the provider said of the void, if it is still at that round. A refusal ends a
    /// void that staff asked for; what a cancelled order holds is asked for anew until it is back.
    pub fn settle_void(&mut self, round: u32, answer: &Answer, now: Timestamp) -> Vec<Fact> {
        let cancelled = self.cancelled.is_some();
        let Stage::Authorized(charge) = &mut self.stage else {
            return Vec::new();
        };
        let current = |void: &&mut Operation<PaymentId>| void.is_pending() && void.round() == round;
        let Some(void) = charge.void.as_mut().filter(current) else {
            return Vec::new();
        };
        let amount = void.amount;
        if void.settle(answer, now) {
            if !charge.captures.iter().any(Operation::is_done) {
                return self.void_whole(amount, now);
            }
            self.note(now, Moment::Released, Some(amount), None);
        } else if void.is_failed() {
            if cancelled {
                void.ask_anew(amount, Attempt::after_refusal(now, void.round()));
            }
            let refused = void.refused.clone();
            self.note_refusal(Moment::VoidRefused, amount, refused.as_ref(), now);
        }
        Vec::new()
    }

    fn void_whole(&mut self, held: kernel::Money, now: Timestamp) -> Vec<Fact> {
        let Stage::Authorized(charge) = &self.stage else {
            return Vec::new();
        };
        let (charge, late) = (charge.clone(), charge.late);
        self.stage =
            Stage::Voided { amount: Some(charge.authorized), charge: Some(charge), watch: None };
        if late {
            // That nothing is held was told when the payment was given up.
            self.note(now, Moment::LateChargeVoided, Some(held), None);
            return Vec::new();
        }
        self.note(now, Moment::Voided, Some(held), None);
        vec![Fact::Voided]
    }

    /// Records whether a charge turned up after the payment was given up: `Done` when there is one,
    /// `NeverSeen` or `Refused` when there is none.
    pub fn settle_late_charge(&mut self, answer: &Answer, now: Timestamp) -> Vec<Fact> {
        let Stage::Voided { watch, .. } = &mut self.stage else {
            return Vec::new();
        };
        let Some(attempt) = *watch else {
            return Vec::new();
        };
        match answer {
            Answer::Done { reference } => return self.late_charge(reference, now),
            Answer::Refused { .. } | Answer::NeverSeen => *watch = None,
            Answer::Processing | Answer::Unknown => *watch = Some(attempt.again(now)),
        }
        Vec::new()
    }

    /// Money is held after all: it goes back as that of any cancelled payment does.
    pub(super) fn late_charge(&mut self, reference: &str, now: Timestamp) -> Vec<Fact> {
        let Stage::Voided { amount: Some(amount), charge: None, .. } = self.stage else {
            return Vec::new();
        };
        let charge = Charge::new(amount, Some(reference.to_owned()));
        self.stage = Stage::Authorized(Charge { late: true, ..charge });
        self.note(now, Moment::LateCharge, Some(amount), None);
        self.unwind(now)
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
        refused: None,
    }
}
