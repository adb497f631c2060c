//! A capture, refund or void: asked for, then done or failed.

use std::time::Duration;

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::attempt::{LONGEST_PAUSE_AFTER_REFUSAL, LONGEST_WAIT};
use super::{Answer, Attempt, CaptureId, RefundId};

/// The idempotency key of the request that asked for an operation, kept until it is answered: an
/// answer that a crash interrupted is finished by whoever settles the operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestKey {
    pub owner: String,
    pub route: String,
    pub key: String,
    pub fingerprint: String,
}

/// How far an operation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    Pending(Attempt),
    Done { at: Timestamp, reference: String },
    Failed { at: Timestamp, code: String },
}

/// That the provider refused. A refusal is the provider's last word on its key, so whoever asks for
/// the same thing anew does it under another key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub times: u32,
    /// When it did so first.
    pub since: Timestamp,
    /// Why it did so last.
    pub code: String,
}

/// Names one operation of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationId {
    Capture(CaptureId),
    Refund(RefundId),
    Void,
}

/// One movement of money at the provider. The id is unique among its kind and begins the key under
/// which the provider knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation<I> {
    pub id: I,
    pub amount: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who asked: an account, an API key, or a service.
    pub by: String,
    pub requested_at: Timestamp,
    pub progress: Progress,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

impl<I> Operation<I> {
    /// Counts the keys under which it was asked for, from 0. What is said of an earlier one does
    /// not concern the present one.
    pub fn round(&self) -> u32 {
        self.refused.as_ref().map_or(0, |refused| refused.times)
    }

    /// Its key at the provider in this round.
    pub(super) fn key(&self, base: String) -> String {
        match self.round() {
            0 => base,
            round => format!("{base}-{round}"),
        }
    }

    /// The refusal after which it is being asked for anew.
    pub fn refusal(&self) -> Option<&Refused> {
        self.refused.as_ref().filter(|_| self.is_pending())
    }

    /// How long it may have to wait for its next try at most.
    pub(super) const fn longest_wait(&self) -> Duration {
        if self.refused.is_some() { LONGEST_PAUSE_AFTER_REFUSAL } else { LONGEST_WAIT }
    }

    pub const fn is_done(&self) -> bool {
        matches!(self.progress, Progress::Done { .. })
    }

    pub const fn is_pending(&self) -> bool {
        matches!(self.progress, Progress::Pending(_))
    }

    pub const fn is_failed(&self) -> bool {
        matches!(self.progress, Progress::Failed { .. })
    }

    pub const fn attempt(&self) -> Option<Attempt> {
        match self.progress {
            Progress::Pending(attempt) => Some(attempt),
            _ => None,
        }
    }

    /// Records what the provider said. True when this made it done: a repeated answer does not.
    pub(super) fn settle(&mut self, answer: &Answer, now: Timestamp) -> bool {
        let Progress::Pending(attempt) = self.progress else {
            return false;
        };
        self.progress = match answer {
            Answer::Done { reference } => Progress::Done { at: now, reference: reference.clone() },
            Answer::Refused { code } => {
                self.note_refusal(now, code);
                Progress::Failed { at: now, code: code.clone() }
            }
            Answer::Processing | Answer::NeverSeen | Answer::Unknown => {
                Progress::Pending(attempt.again(now))
            }
        };
        self.is_done()
    }

    fn note_refusal(&mut self, at: Timestamp, code: &str) {
        let times = self.round().saturating_add(1);
        let since = self.refused.as_ref().map_or(at, |refused| refused.since);
        self.refused = Some(Refused { times, since, code: code.to_owned() });
    }

    /// What failed is asked for anew, as another request.
    pub(super) fn ask_anew(&mut self, amount: Money, attempt: Attempt) {
        let Progress::Failed { at, code } = &self.progress else {
            return;
        };
        if self.refused.is_none() {
            // It failed before refusals were counted.
            let (at, code) = (*at, code.clone());
            self.note_refusal(at, &code);
        }
        self.amount = amount;
        self.progress = Progress::Pending(attempt);
    }

    pub(super) fn hurry(&mut self, now: Timestamp) {
        if let Progress::Pending(attempt) = &mut self.progress {
            attempt.next_at = attempt.next_at.min(now);
        }
    }

    /// The request to answer now, once: the operation is settled, or known to be in doubt, or was
    /// refused and is being asked for anew.
    pub(super) fn take_answerable(&mut self) -> Option<RequestKey> {
        match self.progress {
            Progress::Pending(Attempt { tries: 0, .. }) if self.refused.is_none() => None,
            Progress::Pending(Attempt { tries: 1, .. }) => None,
            _ => self.request.take(),
        }
    }
}
