//! A place where stock lies: a warehouse, a shop's back room, a supplier who ships for us.

use kernel::{CountryCode, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::LocationId;
use super::refusal::Refusal;

/// All locations of a shop are read at once and kept in memory; this is what makes that safe.
pub const MAX_LOCATIONS: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// Only active locations give stock to new reservations.
    pub active: bool,
    /// Lower comes first when an order is served.
    pub priority: i64,
    /// True once stock has been booked here; from then on it cannot be deleted, since the ledger
    /// names it.
    #[serde(default)]
    pub used: bool,
    pub created_at: Timestamp,
}

impl Location {
    /// The one that bootstrap creates.
    pub fn default_at(now: Timestamp) -> Self {
        Self {
            name: "Default".to_owned(),
            country: None,
            active: true,
            priority: 0,
            used: true,
            created_at: now,
        }
    }

    /// Refuses what must not happen to the location `id`.
    pub fn change(
        &mut self,
        id: LocationId,
        name: String,
        country: Option<CountryCode>,
        active: bool,
        priority: i64,
    ) -> Result<(), Refusal> {
        if id == LocationId::DEFAULT && !active {
            return Err(Refusal::DefaultLocation { verb: "deactivated" });
        }
        self.name = name;
        self.country = country;
        self.active = active;
        self.priority = priority;
        Ok(())
    }

    pub fn deletable(&self, id: LocationId) -> Result<(), Refusal> {
        if id == LocationId::DEFAULT {
            Err(Refusal::DefaultLocation { verb: "deleted" })
        } else if self.used {
            Err(Refusal::LocationInUse)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_location_stays_and_stays_active() {
        let mut location = Location::default_at(Timestamp::EPOCH);
        let id = LocationId::DEFAULT;
        assert!(location.change(id, "Berlin".into(), None, false, 3).is_err());
        assert_eq!(location.name, "Default");
        assert!(location.change(id, "Berlin".into(), None, true, 3).is_ok());
        assert!(location.deletable(id).is_err());
    }
}
