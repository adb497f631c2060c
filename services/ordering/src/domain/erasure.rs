//! A customer who is forgotten: what was asked, and how far it is.

use kernel::{Address, CountryCode, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::OrderId;

/// Of one account, under its id. It stays for good, so that nothing is written for the account any
/// more, by whoever was about to when it was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    pub since: Timestamp,
    pub progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Carts and orders are being gone through, orders by when they were placed; those up to this one
    /// are done.
    Running {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Place>,
    },
    Done {
        at: Timestamp,
    },
}

/// The place of an order in the list of its customer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub placed_at: Timestamp,
    pub order: OrderId,
}

impl Erasure {
    pub const fn begin(now: Timestamp) -> Self {
        Self { since: now, progress: Progress::Running { after: None } }
    }

    /// The last order that is done with, as long as there is more to do.
    pub const fn running(&self) -> Option<Option<Place>> {
        match self.progress {
            Progress::Running { after } => Some(after),
            Progress::Done { .. } => None,
        }
    }
}

/// What is left of an order's buyer: what the shop has to account for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped_to: Option<Region>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_to: Option<Region>,
}

/// As much of an address as taxes depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    pub country: CountryCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl Region {
    pub fn of(address: &Address) -> Self {
        Self { country: address.country, region: address.region.clone() }
    }
}
