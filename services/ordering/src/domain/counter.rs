//! Order numbers: consecutive, and only confirmed orders have one.

use kernel::id::Uuid;
use serde::{Deserialize, Serialize};

/// The last number given. It moves in the transaction that confirms an order, so a checkout that
/// fails leaves no gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    last: u64,
}

impl Default for Counter {
    /// The first number is 1001.
    fn default() -> Self {
        Self { last: 1000 }
    }
}

impl Counter {
    /// The one counter of a shop.
    pub const ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_006f_7264_6572);

    #[must_use]
    pub fn next(self) -> (Self, u64) {
        let number = self.last + 1;
        (Self { last: number }, number)
    }
}
