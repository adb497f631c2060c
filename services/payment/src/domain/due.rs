//! What is outstanding at the provider, and until when it may wait.

use std::time::Duration;

use kernel::{Money, Timestamp};

use super::attempt::LONGEST_WAIT;
use super::ledger::Cause;
use super::{
    Answer, Attempt, CaptureId, Fact, Operation, OperationId, Payment, PaymentToken, RefundId,
    RequestKey, Stage,
};

/// One thing to ask the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    pub work: Work,
    /// Our key for it at the provider; the same however often it is asked.
    pub key: String,
    /// The provider may know of it: look it up before asking it to act.
    pub asked_before: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    Authorize {
        amount: Money,
        token: PaymentToken,
    },
    /// The order is off while its authorization is in doubt: find out, and ask for nothing.
    FindOut,
    Capture {
        id: CaptureId,
        reference: String,
        amount: Money,
    },
    Refund {
        id: RefundId,
        round: u32,
        reference: String,
        amount: Money,
    },
    Void {
        round: u32,
        reference: String,
    },
    /// See whether a charge came late.
    LateCharge,
}

impl Work {
    /// What moves money when this is done.
    pub const fn cause(&self) -> Option<Cause> {
        match self {
            Self::Capture { id, .. } => Some(Cause::Capture(*id)),
            Self::Refund { id, .. } => Some(Cause::Refund(*id)),
            _ => None,
        }
    }

    /// Whether this gives money back.
    pub const fn gives_back(&self) -> bool {
        matches!(self, Self::Refund { .. } | Self::Void { .. })
    }
}

impl Payment {
    /// The errand that stands under `key`, for the one who just asked for it.
    pub fn first_errand(&self, key: &str) -> Option<Errand> {
        let errand = self.errands(None).into_iter().find(|errand| errand.key == key)?;
        Some(Errand { asked_before: false, ..errand })
    }

    /// The void, for the one who just asked for it.
    pub fn first_void(&self) -> Option<Errand> {
        let void = self.charge()?.void.as_ref()?;
        self.first_errand(&void.key(self.id.void_key()))
    }

    /// What to ask the provider, in an order that is safe; only what is due when `now` is given.
    pub fn errands(&self, now: Option<Timestamp>) -> Vec<Errand> {
        let mut errands = Vec::new();
        let mut add = |attempt: Attempt, longest: Duration, key: String, work: Work| {
            if now.is_none_or(|now| attempt.is_due(now, longest)) {
                errands.push(Errand { work, key, asked_before: attempt.tries > 0 });
            }
        };
        match &self.stage {
            Stage::Pending(request) if self.cancelled.is_some() => {
                add(request.attempt, LONGEST_WAIT, self.id.to_string(), Work::FindOut);
            }
            Stage::Pending(request) => {
                let work = Work::Authorize { amount: request.amount, token: request.token.clone() };
                add(request.attempt, LONGEST_WAIT, self.id.to_string(), work);
            }
            Stage::Authorized(charge) => {
                let reference = || charge.reference.clone().unwrap_or_default();
                for capture in &charge.captures {
                    if let Some(attempt) = capture.attempt() {
                        let (id, amount) = (capture.id, capture.amount);
                        let work = Work::Capture { id, reference: reference(), amount };
                        add(attempt, capture.longest_wait(), capture.key(id.to_string()), work);
                    }
                }
                if let Some(void) = &charge.void
                    && let Some(attempt) = void.attempt()
                {
                    let work = Work::Void { round: void.round(), reference: reference() };
                    add(attempt, void.longest_wait(), void.key(self.id.void_key()), work);
                }
                for refund in &charge.refunds {
                    if let Some(attempt) = refund.attempt() {
                        let (id, round, amount) = (refund.id, refund.round(), refund.amount);
                        let work = Work::Refund { id, round, reference: reference(), amount };
                        add(attempt, refund.longest_wait(), refund.key(id.to_string()), work);
                    }
                }
            }
            Stage::Voided { watch: Some(attempt), .. } => {
                add(*attempt, LONGEST_WAIT, self.id.to_string(), Work::LateCharge);
            }
            Stage::Declined { .. } | Stage::Voided { watch: None, .. } => {}
        }
        errands
    }

    /// Whether somebody who found this among what may be due has something to do.
    pub fn wants_a_look(&self, now: Timestamp) -> bool {
        self.next_check_at().is_none() || !self.errands(Some(now)).is_empty()
    }

    /// Records what became of an errand.
    pub fn settle(&mut self, work: &Work, answer: &Answer, now: Timestamp) -> Vec<Fact> {
        match work {
            Work::Authorize { .. } | Work::FindOut => self.settle_authorization(answer, now),
            Work::Capture { id, .. } => self.settle_capture(*id, answer, now),
            Work::Refund { id, round, .. } => self.settle_refund(*id, *round, answer, now),
            Work::Void { round, .. } => self.settle_void(*round, answer, now),
            Work::LateCharge => self.settle_late_charge(answer, now),
        }
    }

    /// When somebody must look next; `None` when everything is settled.
    pub fn next_check_at(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Pending(request) => Some(request.attempt.next_at),
            Stage::Voided { watch, .. } => watch.map(|attempt| attempt.next_at),
            Stage::Declined { .. } => None,
            Stage::Authorized(charge) => {
                let captures = charge.captures.iter().filter_map(Operation::attempt);
                let refunds = charge.refunds.iter().filter_map(Operation::attempt);
                let void = charge.void.iter().filter_map(Operation::attempt);
                captures.chain(refunds).chain(void).map(|attempt| attempt.next_at).min()
            }
        }
    }

    /// Makes everything outstanding due now. True when there was something.
    pub fn hurry(&mut self, now: Timestamp) -> bool {
        match &mut self.stage {
            Stage::Pending(request) => request.attempt.next_at = request.attempt.next_at.min(now),
            Stage::Voided { watch: Some(attempt), .. } => {
                attempt.next_at = attempt.next_at.min(now);
            }
            Stage::Authorized(charge) => {
                charge.captures.iter_mut().for_each(|capture| capture.hurry(now));
                charge.refunds.iter_mut().for_each(|refund| refund.hurry(now));
                charge.void.iter_mut().for_each(|void| void.hurry(now));
            }
            Stage::Declined { .. } | Stage::Voided { watch: None, .. } => {}
        }
        self.next_check_at().is_some()
    }

    /// The requests that can be answered now, each handed out once.
    pub fn take_answerable(&mut self) -> Vec<(OperationId, RequestKey)> {
        let mut answerable = Vec::new();
        if let Stage::Authorized(charge) | Stage::Voided { charge: Some(charge), .. } =
            &mut self.stage
        {
            for capture in &mut charge.captures {
                let id = OperationId::Capture(capture.id);
                answerable.extend(capture.take_answerable().map(|request| (id, request)));
            }
            for refund in &mut charge.refunds {
                let id = OperationId::Refund(refund.id);
                answerable.extend(refund.take_answerable().map(|request| (id, request)));
            }
            if let Some(void) = &mut charge.void {
                let request = void.take_answerable();
                answerable.extend(request.map(|request| (OperationId::Void, request)));
            }
        }
        answerable
    }
}
