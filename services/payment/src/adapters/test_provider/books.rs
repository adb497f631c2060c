//! What the test provider knows: its charges, and its answer to each key it has seen.
//!
//! Everything follows from lines; the lines of a file, applied again, give the same books.

use std::collections::{HashMap, HashSet};

use kernel::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::Answer;

/// A key or reference in 128 bits: the first half of its SHA-256. Long texts are many and equal
/// hashes are none.
pub type Short = u128;

pub fn short(key: &str) -> Short {
    let hash = Sha256::digest(key.as_bytes());
    hash[..16].iter().fold(0, |value, byte| (value << 8) | u128::from(*byte))
}

/// The provider's name for what it did under `key`.
pub fn reference(prefix: &str, key: &str) -> String {
    format!("{prefix}_{:032x}", short(key))
}

fn charge_of(reference: &str) -> Option<Short> {
    Short::from_str_radix(reference.strip_prefix("ch_")?, 16).ok()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    Authorize,
    Capture,
    Refund,
    Void,
}

impl Operation {
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Authorize => "ch",
            Self::Capture => "cp",
            Self::Refund => "re",
            Self::Void => "vd",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Done,
    Refused(String),
    /// Decided at this time.
    From(Timestamp),
    /// The request was lost: the provider has not seen it, and will do it next time.
    Lost,
}

/// One line of the provider's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub at: Timestamp,
    pub operation: Operation,
    pub key: String,
    /// The charge it is about, except for an authorization, which is its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    pub amount_minor: i64,
    pub currency: Currency,
    pub verdict: Verdict,
}

/// A charge as the provider sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Our key for it.
    pub key: Box<str>,
    pub currency: Currency,
    pub held_minor: i64,
    pub captured_minor: i64,
    pub refunded_minor: i64,
    pub voided: bool,
    pub settled_from: Timestamp,
}

#[derive(Clone, Debug)]
struct Kept {
    operation: Operation,
    /// `None`: it was done.
    refusal: Option<Box<str>>,
}

#[derive(Default)]
pub struct Books {
    charges: HashMap<Short, Charge>,
    answers: HashMap<Short, Kept>,
    lost: HashSet<Short>,
}

impl Books {
    /// The answer to a key that was seen before.
    pub fn answer(&self, key: &str, now: Timestamp) -> Option<Answer> {
        let short = short(key);
        let kept = self.answers.get(&short)?;
        if let Some(code) = &kept.refusal {
            return Some(Answer::Refused { code: code.to_string() });
        }
        let undecided = kept.operation == Operation::Authorize
            && self.charges.get(&short).is_some_and(|charge| charge.settled_from > now);
        Some(if undecided {
            Answer::Processing
        } else {
            Answer::Done { reference: reference(kept.operation.prefix(), key) }
        })
    }

    pub fn was_lost(&self, key: &str) -> bool {
        self.lost.contains(&short(key))
    }

    pub fn charge(&self, key: &str) -> Option<&Charge> {
        self.charges.get(&short(key))
    }

    pub fn charge_named(&self, reference: &str) -> Option<&Charge> {
        self.charges.get(&charge_of(reference)?)
    }

    pub fn charges(&self) -> impl Iterator<Item = &Charge> {
        self.charges.values()
    }

    /// What the provider says of moving `amount` of a charge.
    pub fn judge(
        &self,
        operation: Operation,
        reference: &str,
        amount: Option<Money>,
        now: Timestamp,
    ) -> Verdict {
        let refused = |code: &str| Verdict::Refused(code.to_owned());
        let Some(charge) = self.charge_named(reference) else {
            return refused("no_such_charge");
        };
        if charge.settled_from > now {
            return refused("charge_not_decided");
        }
        if amount.is_some_and(|amount| amount.currency() != charge.currency) {
            return refused("currency_mismatch");
        }
        let amount_minor = amount.map_or(0, Money::amount_minor);
        let left = match operation {
            Operation::Capture if charge.voided => return refused("charge_voided"),
            Operation::Capture => charge.held_minor - charge.captured_minor,
            Operation::Refund => charge.captured_minor - charge.refunded_minor,
            Operation::Void if charge.captured_minor == charge.held_minor => {
                return refused("nothing_held");
            }
            Operation::Void | Operation::Authorize => i64::MAX,
        };
        if amount_minor > left {
            return refused("amount_too_large");
        }
        Verdict::Done
    }

    pub fn apply(&mut self, line: &Line) {
        let short = short(&line.key);
        let refusal = match &line.verdict {
            Verdict::Lost => {
                self.lost.insert(short);
                return;
            }
            Verdict::Refused(code) => Some(code.as_str().into()),
            Verdict::Done | Verdict::From(_) => None,
        };
        let done = refusal.is_none();
        self.answers.insert(short, Kept { operation: line.operation, refusal });
        if !done {
            return;
        }
        if line.operation == Operation::Authorize {
            let settled_from = match line.verdict {
                Verdict::From(time) => time,
                // Decided, whatever the clock says: it may have been set back since.
                _ => Timestamp::EPOCH,
            };
            let charge = Charge {
                key: line.key.as_str().into(),
                currency: line.currency,
                held_minor: line.amount_minor,
                captured_minor: 0,
                refunded_minor: 0,
                voided: false,
                settled_from,
            };
            self.charges.insert(short, charge);
            return;
        }
        let charge = line.charge.as_deref().and_then(charge_of);
        let Some(charge) = charge.and_then(|charge| self.charges.get_mut(&charge)) else {
            return;
        };
        match line.operation {
            Operation::Capture => charge.captured_minor += line.amount_minor,
            Operation::Refund => charge.refunded_minor += line.amount_minor,
            Operation::Void => charge.voided = true,
            Operation::Authorize => {}
        }
    }
}
