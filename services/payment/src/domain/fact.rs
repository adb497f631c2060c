//! What others must learn of a change.

use kernel::Money;

use super::{CaptureId, RefundId};

/// Becomes an event, and a ledger entry where money moved, in the transaction of the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    Authorized {
        amount: Money,
    },
    Declined {
        code: String,
    },
    /// Nothing is held any more, or never will be.
    Voided,
    Captured {
        capture: CaptureId,
        amount: Money,
        /// Of all captures so far, this one included.
        total: Money,
    },
    Refunded {
        refund: RefundId,
        amount: Money,
        /// Of all refunds so far, this one included.
        total: Money,
    },
}
