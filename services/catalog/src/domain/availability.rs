//! Whether a variant can be sold now, as far as inventory has told.
//!
//! Only a yes or no for each location is kept, not the counts; inventory speaks up when the answer
//! changes.

use std::collections::BTreeMap;

use kernel::id::Uuid;
use serde::{Deserialize, Serialize};

use super::variant::VariantId;

/// What inventory said of one variant. A variant it never spoke of is not counted, so it can be
/// sold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// By location: can it be sold from there?
    pub locations: BTreeMap<Uuid, bool>,
}

/// A stock level as inventory reports it.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    pub variant: VariantId,
    pub location: Uuid,
    pub on_hand: i64,
    pub reserved: i64,
    pub backorder: bool,
    pub tracked: bool,
}

impl Level {
    pub fn sellable(&self) -> bool {
        !self.tracked || self.backorder || self.on_hand > self.reserved
    }
}

impl Availability {
    pub fn sellable(&self) -> bool {
        self.locations.is_empty() || self.locations.values().any(|sellable| *sellable)
    }

    /// Takes note of a level. False when it changes nothing.
    pub fn note(&mut self, level: &Level) -> bool {
        self.locations.insert(level.location, level.sellable()) != Some(level.sellable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_sellable_while_any_location_has_it_or_nobody_counts_it() {
        let variant = VariantId::from_uuid(Uuid::from_u128(1));
        let level = |location: u128, on_hand, tracked| Level {
            variant,
            location: Uuid::from_u128(location),
            on_hand,
            reserved: 1,
            backorder: false,
            tracked,
        };
        let mut availability = Availability::default();
        assert!(availability.sellable());
        assert!(availability.note(&level(1, 1, true)));
        assert!(!availability.sellable());
        assert!(!availability.note(&level(1, 0, true)), "still sold out: nothing changes");
        assert!(availability.note(&level(2, 5, true)));
        assert!(availability.sellable());
        availability.note(&level(2, 1, true));
        assert!(!availability.sellable());
        availability.note(&level(1, 0, false));
        assert!(availability.sellable());
    }
}
