//! A capture, refund or void: asked for, then done or failed.

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};

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

/// Names one operation of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationId {
    Capture(CaptureId),
    Refund(RefundId),
    Void,
}

/// One movement of money at the provider. The id is unique among its kind and is the key under
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
}

impl<I> Operation<I> {
    pub const fn is_done(&self) -> bool {
        matches!(self.progress, Progress::Done { .. })
    }

    pub const fn is_pending(&self) -> bool {
        matches!(self.progress, Progress::Pending(_))
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
            Answer::Refused { code } => Progress::Failed { at: now, code: code.clone() },
            Answer::Processing | Answer::NeverSeen | Answer::Unknown => {
                Progress::Pending(attempt.again(now))
            }
        };
        self.is_done()
    }

    pub(super) fn hurry(&mut self, now: Timestamp) {
        if let Progress::Pending(attempt) = &mut self.progress {
            attempt.next_at = attempt.next_at.min(now);
        }
    }

    /// The request to answer now, once: the operation is settled, or known to be in doubt.
    pub(super) fn take_answerable(&mut self) -> Option<RequestKey> {
        match self.progress {
            Progress::Pending(attempt) if attempt.tries <= 1 => None,
            _ => self.request.take(),
        }
    }
}
