//! Double entry: money is never made or lost, it moves between accounts.
//!
//! | account | holds |
//! |---|---|
//! | `provider_clearing` | what the provider took for us and owes us |
//! | `order_receipts` | what buyers paid for orders |
//!
//! A capture debits `provider_clearing` and credits `order_receipts`; a refund is the reverse. An
//! authorization moves no money: it stands in the payment and nowhere here. Debits are positive,
//! credits negative, so that the postings of an entry sum to zero.

use kernel::{Money, MoneyError, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CaptureId, Fact, PaymentId, RefundId, ids};
use kernel::id::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LedgerAccount)]
pub enum Account {
    ProviderClearing,
    OrderReceipts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    pub account: Account,
    /// Debit positive, credit negative.
    pub amount: Money,
}

/// What moved the money. An operation makes exactly one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Capture(CaptureId),
    Refund(RefundId),
}

impl Cause {
    /// The id of its entry: it follows from the operation, so that it cannot be entered twice.
    pub fn entry_id(self) -> Uuid {
        let (kind, operation) = match self {
            Self::Capture(capture) => (b"ledger-capture".as_slice(), capture.uuid()),
            Self::Refund(refund) => (b"ledger-refund".as_slice(), refund.uuid()),
        };
        ids::derived(operation, &[kind, operation.as_bytes()])
    }
}

/// One balanced transaction. Entries are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    pub payment_id: PaymentId,
    pub cause: Cause,
    pub postings: Vec<Posting>,
    pub recorded_at: Timestamp,
}

impl LedgerEntry {
    /// The entry that a fact makes; `None` when no money moved.
    pub fn of(payment_id: PaymentId, fact: &Fact, now: Timestamp) -> Option<Self> {
        let (cause, debit, credit, amount) = match *fact {
            Fact::Captured { capture, amount, .. } => {
                (Cause::Capture(capture), Account::ProviderClearing, Account::OrderReceipts, amount)
            }
            Fact::Refunded { refund, amount, .. } => {
                (Cause::Refund(refund), Account::OrderReceipts, Account::ProviderClearing, amount)
            }
            Fact::Authorized { .. } | Fact::Declined { .. } | Fact::Voided => return None,
        };
        let negative = Money::new(-amount.amount_minor(), amount.currency());
        Some(Self {
            payment_id,
            cause,
            postings: vec![
                Posting { account: debit, amount },
                Posting { account: credit, amount: negative },
            ],
            recorded_at: now,
        })
    }

    pub fn id(&self) -> Uuid {
        self.cause.entry_id()
    }

    /// The sum over all postings; zero in every entry that was ever made.
    pub fn balance(&self) -> Result<i64, MoneyError> {
        let Some(first) = self.postings.first() else {
            return Ok(0);
        };
        let zero = Money::zero(first.amount.currency());
        let sum = self.postings.iter().try_fold(zero, |sum, p| sum.checked_add(p.amount))?;
        Ok(sum.amount_minor())
    }
}
