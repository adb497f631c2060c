//! Which stock rows a command may touch: for each variant its home row, and those at other
//! locations where it has ever lain. In a shop with one location that needs no look-up at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::id::Uuid;
use platform::executor::{Keys, States};
use platform::store::{StoreError, Versioned};

use super::Inventory;
use super::locations::Place;
use crate::domain::ids::stock_id;
use crate::domain::{Line, LocationId, Stock, VariantId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub location: LocationId,
    pub id: Uuid,
    pub active: bool,
}

/// Per variant, its rows in the order in which they serve.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    variants: BTreeMap<VariantId, Vec<Row>>,
}

impl Row {
    fn at(variant: VariantId, place: Place) -> Self {
        Self { location: place.id, id: stock_id(variant, place.id), active: place.active }
    }
}

const HOME: Place = Place { id: LocationId::DEFAULT, active: true };

impl Reach {
    /// The rows that an order's lines were taken from.
    pub fn of_lines(lines: &[Line]) -> Self {
        let mut reach = Self::default();
        for line in lines {
            for split in &line.splits {
                reach.add(line.variant, Place { id: split.location, active: true });
            }
        }
        reach
    }

    /// The home rows alone.
    pub fn homes(variants: impl IntoIterator<Item = VariantId>) -> Self {
        let mut reach = Self::default();
        for variant in variants {
            reach.add(variant, HOME);
        }
        reach
    }

    /// Home rows, and what they say of other places.
    pub fn of_homes(
        variants: impl IntoIterator<Item = VariantId>,
        homes: &[Versioned<Stock>],
        places: &[Place],
    ) -> Self {
        let mut reach = Self::homes(variants);
        for home in homes.iter().filter(|home| !home.places().is_empty()) {
            let known = |place: &&Place| {
                place.id == LocationId::DEFAULT || home.places().contains(&place.id)
            };
            let variant = home.variant();
            let rows = places.iter().filter(known).map(|place| Row::at(variant, *place)).collect();
            reach.variants.insert(variant, rows);
        }
        reach
    }

    pub fn add(&mut self, variant: VariantId, place: Place) {
        let rows = self.variants.entry(variant).or_default();
        if !rows.iter().any(|row| row.location == place.id) {
            rows.push(Row::at(variant, place));
        }
    }

    pub fn join(&mut self, other: Self) {
        for (variant, rows) in other.variants {
            let mine = self.variants.entry(variant).or_default();
            for row in rows {
                if !mine.iter().any(|known| known.location == row.location) {
                    mine.push(row);
                }
            }
        }
    }

    pub fn rows(&self, variant: VariantId) -> &[Row] {
        self.variants.get(&variant).map_or(&[], Vec::as_slice)
    }

    pub fn row(&self, variant: VariantId, location: LocationId) -> Option<Row> {
        self.rows(variant).iter().find(|row| row.location == location).copied()
    }

    pub fn home(&self, variant: VariantId) -> Option<Row> {
        self.row(variant, LocationId::DEFAULT)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.variants.values().map(Vec::len).sum()
    }

    pub fn add_keys(&self, keys: &mut Keys) {
        for row in self.variants.values().flatten() {
            keys.add::<Stock>(row.id);
        }
    }

    /// True when a variant lies at a place that this reach does not know.
    pub fn misses_a_place(&self, states: &States<'_>) -> bool {
        self.variants.iter().any(|(variant, rows)| {
            self.home(*variant).and_then(|home| states.get::<Stock>(home.id)).is_some_and(|home| {
                let known = |place: &LocationId| rows.iter().any(|row| row.location == *place);
                !home.places().iter().all(known)
            })
        })
    }
}

impl Inventory {
    /// The reach of commands about these variants. `fresh` does not trust what is remembered.
    pub(super) async fn reach(
        &self,
        variants: &[VariantId],
        fresh: bool,
    ) -> Result<Reach, StoreError> {
        let places = self.places(fresh).await?;
        if places.len() <= 1 {
            return Ok(Reach::homes(variants.iter().copied()));
        }
        let homes = self.homes(variants).await?;
        Ok(Reach::of_homes(variants.iter().copied(), &homes, &places))
    }

    pub(super) async fn places(&self, fresh: bool) -> Result<Arc<[Place]>, StoreError> {
        if fresh { self.locations.fresh().await } else { self.locations.current().await }
    }

    /// The home rows of those that inventory knows.
    pub(super) async fn homes(
        &self,
        variants: &[VariantId],
    ) -> Result<Vec<Versioned<Stock>>, StoreError> {
        let ids: Vec<Uuid> =
            variants.iter().map(|variant| stock_id(*variant, LocationId::DEFAULT)).collect();
        self.store().get_many::<Stock>(&ids).await
    }
}
