//! The ledger: one row for each change of a stock's units on hand, never changed, never deleted.
//! The deltas of one variant at one location add up to its `on_hand`.

use kernel::{Sku, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::{LocationId, VariantId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Goods came in.
    Receipt,
    /// A person corrected the books; the row has a [`Reason`].
    Adjustment,
    /// Goods went to another location, or came from one.
    Transfer,
    /// Goods belong to a confirmed order.
    Sale,
    /// A confirmed order took units that were not there, because its reservation had lapsed.
    Oversold,
    /// A confirmed order was cancelled and its goods are for sale again.
    Return,
    /// An import set the count.
    Import,
}

impl MovementKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Adjustment => "adjustment",
            Self::Transfer => "transfer",
            Self::Sale => "sale",
            Self::Oversold => "oversold",
            Self::Return => "return",
            Self::Import => "import",
        }
    }
}

/// Why a person corrected the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Count,
    Damage,
    Loss,
    Found,
    Correction,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    pub variant: VariantId,
    pub location: LocationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    pub kind: MovementKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    pub delta: i64,
    /// Units on hand after it.
    pub on_hand: i64,
    /// A delivery note, an order: what the movement belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who caused it: `staff:…`, `key:…`, `service:…`. An id, never a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub at: Timestamp,
}
