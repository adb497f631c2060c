//! What one order holds, and how that ends.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::allocation::{Line, Shortage};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    pub lines: Vec<Line>,
    pub stage: Stage,
    pub created_at: Timestamp,
}

/// active → committed → returned, or active → released or expired. Refused is an end of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Stage {
    /// Units are held until the time given.
    Active { expires_at: Timestamp },
    /// The order was confirmed; the units have left the shelf.
    Committed { at: Timestamp },
    /// The confirmed order was cancelled; the units are back on the shelf.
    Returned { at: Timestamp },
    /// The units were given back. Without lines it is a mark: the release came before the
    /// reservation, which is refused when it comes.
    Released { at: Timestamp },
    /// The time ran out and the units were given back.
    Expired { at: Timestamp },
    /// There was not enough; kept so that asking again gets the same answer.
    Refused { shortages: Vec<Shortage> },
}

/// What Reserve answers to an order that it has met before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Reserved,
    OutOfStock(Vec<Shortage>),
    Released,
}

/// What a step of the order means for the shelves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Nothing,
    /// The held units are free again.
    Release,
    /// The held units leave the shelf.
    Commit,
    /// The units of the order leave the shelf though none are held any more.
    SellUnreserved,
    /// The sold units come back.
    Return,
}

impl Reservation {
    pub fn active(lines: Vec<Line>, expires_at: Timestamp, now: Timestamp) -> Self {
        Self { lines, stage: Stage::Active { expires_at }, created_at: now }
    }

    pub fn refused(shortages: Vec<Shortage>, now: Timestamp) -> Self {
        Self { lines: Vec::new(), stage: Stage::Refused { shortages }, created_at: now }
    }

    /// Of a release that came first.
    pub fn mark(now: Timestamp) -> Self {
        Self { lines: Vec::new(), stage: Stage::Released { at: now }, created_at: now }
    }

    pub fn outcome(&self) -> Outcome {
        match &self.stage {
            Stage::Active { .. } | Stage::Committed { .. } => Outcome::Reserved,
            Stage::Refused { shortages } => Outcome::OutOfStock(shortages.clone()),
            Stage::Released { .. } | Stage::Expired { .. } | Stage::Returned { .. } => {
                Outcome::Released
            }
        }
    }

    /// The order gives back what it holds. After the order was confirmed only a cancellation can.
    pub fn release(&mut self, now: Timestamp) -> Effect {
        if matches!(self.stage, Stage::Active { .. }) {
            self.stage = Stage::Released { at: now };
            Effect::Release
        } else {
            Effect::Nothing
        }
    }

    /// The time ran out, if it did.
    pub fn expire(&mut self, now: Timestamp) -> Effect {
        match self.stage {
            Stage::Active { expires_at } if expires_at <= now => {
                self.stage = Stage::Expired { at: now };
                Effect::Release
            }
            _ => Effect::Nothing,
        }
    }

    /// The order was confirmed, which nothing here can refuse any more.
    pub fn confirm(&mut self, now: Timestamp) -> Effect {
        let effect = match self.stage {
            Stage::Active { .. } => Effect::Commit,
            Stage::Committed { .. } | Stage::Returned { .. } => return Effect::Nothing,
            Stage::Released { .. } | Stage::Expired { .. } | Stage::Refused { .. } => {
                Effect::SellUnreserved
            }
        };
        self.stage = Stage::Committed { at: now };
        effect
    }

    /// The order was cancelled.
    pub fn cancel(&mut self, now: Timestamp) -> Effect {
        if matches!(self.stage, Stage::Committed { .. }) {
            self.stage = Stage::Returned { at: now };
            Effect::Return
        } else {
            self.release(now)
        }
    }

    pub fn expires_at(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::Active { expires_at } => Some(expires_at),
            _ => None,
        }
    }
}

impl Stage {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Active { .. } => "active",
            Self::Committed { .. } => "committed",
            Self::Returned { .. } => "returned",
            Self::Released { .. } => "released",
            Self::Expired { .. } => "expired",
            Self::Refused { .. } => "refused",
        }
    }
}
