//! From a fraction of a minor unit to a whole one.

use serde::{Deserialize, Serialize};

/// What happens to exactly half a minor unit. Everything else goes to the nearest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Away from zero, as most tax offices expect.
    #[default]
    HalfUp,
    /// To the even neighbour, so that many roundings cancel out.
    HalfEven,
}

impl Rounding {
    /// `numerator / denominator`, rounded. Both are not negative, the denominator not zero.
    pub fn divide(self, numerator: i128, denominator: i128) -> i128 {
        let (whole, rest) = (numerator / denominator, numerator % denominator);
        let up = match (2 * rest).cmp(&denominator) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => match self {
                Self::HalfUp => true,
                Self::HalfEven => whole % 2 == 1,
            },
        };
        whole + i128::from(up)
    }
}
