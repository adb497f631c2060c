//! Stock rows while a command decides: each is copied when first changed, written back once, told
//! to the world when it sells out or can be sold again, and every change of units on hand leaves
//! its row in the ledger.

use std::collections::BTreeMap;

use contracts::inventory::v1::StockChanged;
use kernel::Timestamp;
use kernel::id::Uuid;
use platform::executor::{Keys, States};

use super::Error;
use super::reach::Reach;
use crate::domain::{
    Location, LocationId, Movement, MovementId, MovementKind, Policy, Reason, Refusal, Stock,
    VariantId,
};

/// What the ledger should know of a change besides the numbers.
#[derive(Clone, Debug)]
pub struct Booking {
    /// A fresh id; the ids of the movements follow from it.
    pub id: Uuid,
    pub kind: MovementKind,
    pub reason: Option<Reason>,
    pub reference: Option<String>,
    pub note: Option<String>,
    pub by: Option<String>,
}

impl Booking {
    pub fn new(id: Uuid, kind: MovementKind) -> Self {
        Self { id, kind, reason: None, reference: None, note: None, by: None }
    }

    /// A command that makes up to `count` movements declares them.
    pub fn add_keys(&self, keys: &mut Keys, count: usize) {
        for index in 0..count {
            keys.add::<Movement>(MovementId::nth(self.id, index as u32).uuid());
        }
    }
}

pub struct Shelf<'c> {
    reach: &'c Reach,
    booking: &'c Booking,
    now: Timestamp,
    rows: BTreeMap<Uuid, Stock>,
    movements: Vec<(MovementId, Movement)>,
}

impl<'c> Shelf<'c> {
    pub fn new(reach: &'c Reach, booking: &'c Booking, now: Timestamp) -> Self {
        Self { reach, booking, now, rows: BTreeMap::new(), movements: Vec::new() }
    }

    /// The row as this command has left it. `Stale` when it is out of reach.
    pub fn find<'s>(
        &'s self,
        states: &'s States<'_>,
        variant: VariantId,
        location: LocationId,
    ) -> Result<Option<&'s Stock>, Error> {
        let id = self.reach.row(variant, location).ok_or(Error::Stale)?.id;
        Ok(self.rows.get(&id).or_else(|| states.get::<Stock>(id)))
    }

    /// Changes a row that exists. Units on hand are booked by [`Shelf::book`], not here.
    pub fn change<T>(
        &mut self,
        states: &States<'_>,
        variant: VariantId,
        location: LocationId,
        change: impl FnOnce(&mut Stock) -> Result<T, Refusal>,
    ) -> Result<T, Error> {
        let id = self.reach.row(variant, location).ok_or(Error::Stale)?.id;
        let row = match self.rows.entry(id) {
            std::collections::btree_map::Entry::Occupied(row) => row.into_mut(),
            std::collections::btree_map::Entry::Vacant(gap) => {
                let field = "variant_id".to_owned();
                let stored = states.get::<Stock>(id).cloned();
                gap.insert(stored.ok_or(Refusal::UnknownVariant { variant, field })?)
            }
        };
        Ok(change(row)?)
    }

    /// The home row of a variant that inventory may not know yet.
    pub fn ensure_home(
        &mut self,
        states: &States<'_>,
        variant: VariantId,
        policy: Policy,
    ) -> Result<(), Error> {
        let home = LocationId::DEFAULT;
        if self.find(states, variant, home)?.is_none() {
            let id = self.reach.row(variant, home).ok_or(Error::Stale)?.id;
            self.rows.insert(id, Stock::empty(variant, home, policy));
        }
        Ok(())
    }

    /// A row at `location`, sold as the home row says, which remembers it. Home must exist.
    pub fn ensure_at(
        &mut self,
        states: &States<'_>,
        variant: VariantId,
        location: LocationId,
    ) -> Result<(), Error> {
        if self.find(states, variant, location)?.is_some() {
            return Ok(());
        }
        let (policy, sku) = self.change(states, variant, LocationId::DEFAULT, |home| {
            home.add_place(location);
            Ok((home.policy(), home.sku.clone()))
        })?;
        let id = self.reach.row(variant, location).ok_or(Error::Stale)?.id;
        let mut row = Stock::empty(variant, location, policy);
        row.sku = sku;
        self.rows.insert(id, row);
        Ok(())
    }

    /// Changes a row and books what that did to its units on hand.
    pub fn book(
        &mut self,
        states: &States<'_>,
        variant: VariantId,
        location: LocationId,
        change: impl FnOnce(&mut Stock) -> Result<(), Refusal>,
    ) -> Result<(), Error> {
        let kind = self.booking.kind;
        let (before, after) = self.change(states, variant, location, |row| {
            let before = row.on_hand();
            change(row).map(|()| (before, row.clone()))
        })?;
        self.record(&after, kind, after.on_hand() - before);
        Ok(())
    }

    /// Writes a ledger row; a change of nothing leaves none.
    pub fn record(&mut self, after: &Stock, kind: MovementKind, delta: i64) {
        if delta == 0 {
            return;
        }
        let id = MovementId::nth(self.booking.id, self.movements.len() as u32);
        let movement = Movement {
            variant: after.variant(),
            location: after.location(),
            sku: after.sku.clone(),
            kind,
            reason: self.booking.reason,
            delta,
            on_hand: after.on_hand(),
            reference: self.booking.reference.clone(),
            note: self.booking.note.clone(),
            by: self.booking.by.clone(),
            at: self.now,
        };
        self.movements.push((id, movement));
    }

    pub fn movements(&self) -> usize {
        self.movements.len()
    }

    /// Hands all changes over; returns the rows as they are now and what was booked.
    pub fn close(mut self, states: &mut States<'_>) -> Booked {
        for (id, row) in &mut self.rows {
            let news = row.tell();
            states.put(*id, row.clone());
            if news {
                states.emit::<Stock, _>(*id, &changed(row));
            }
        }
        for (id, movement) in &self.movements {
            states.put(id.uuid(), movement.clone());
        }
        Booked { rows: self.rows.into_values().collect(), movements: self.movements }
    }
}

/// What a command did to the shelves.
#[derive(Clone, Debug, Default)]
pub struct Booked {
    pub rows: Vec<Stock>,
    pub movements: Vec<(MovementId, Movement)>,
}

/// The location of a booking: it exists, and from now on it cannot be deleted. The default location
/// always exists and needs no look.
pub fn use_location(
    states: &mut States<'_>,
    location: LocationId,
    field: &str,
) -> Result<(), Error> {
    if location == LocationId::DEFAULT {
        return Ok(());
    }
    let found = states.get::<Location>(location.uuid());
    let mut found = found
        .cloned()
        .ok_or_else(|| Refusal::UnknownLocation { location, field: field.to_owned() })?;
    if !found.used {
        found.used = true;
        states.put(location.uuid(), found);
    }
    Ok(())
}

pub fn add_location_key(keys: &mut Keys, location: LocationId) {
    if location != LocationId::DEFAULT {
        keys.add::<Location>(location.uuid());
    }
}

fn changed(row: &Stock) -> StockChanged {
    StockChanged {
        variant_id: row.variant().uuid().as_bytes().to_vec(),
        location_id: row.location().uuid().as_bytes().to_vec(),
        on_hand: row.on_hand(),
        reserved: row.reserved(),
        backorder: row.policy().backorder,
        tracked: row.policy().tracked,
    }
}
