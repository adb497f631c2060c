//! Goods go from one location to another.

use kernel::{Quantity, Timestamp};
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;

use super::locations::Place;
use super::reach::Reach;
use super::shelf::{Shelf, add_location_key, use_location};
use super::{Booked, Booking, Error, Inventory};
use crate::domain::{LocationId, MovementKind, VariantId};

pub struct Transfer {
    pub variant: VariantId,
    pub from: LocationId,
    pub to: LocationId,
    pub quantity: Quantity,
    pub reference: Option<String>,
    pub note: Option<String>,
}

impl Inventory {
    /// Only units that are there and that no order holds can go.
    pub async fn transfer(
        &self,
        context: &Context,
        once: Option<Idempotent<Booked>>,
        transfer: Transfer,
    ) -> Result<Booked, Error> {
        if transfer.from == transfer.to {
            return Err(Error::invalid("to_location_id", "must be another location"));
        }
        let mut reach = Reach::homes([transfer.variant]);
        for id in [transfer.from, transfer.to] {
            reach.add(transfer.variant, Place { id, active: true });
        }
        let booking = Booking {
            id: self.executor.env().uuid(),
            kind: MovementKind::Transfer,
            reason: None,
            reference: transfer.reference.clone(),
            note: transfer.note.clone(),
            by: Some(context.principal.owner()),
        };
        self.executor.execute_once(context, once, Move { transfer, reach, booking }).await
    }
}

struct Move {
    transfer: Transfer,
    reach: Reach,
    booking: Booking,
}

impl Command for Move {
    type Reply = Booked;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        add_location_key(keys, self.transfer.from);
        add_location_key(keys, self.transfer.to);
        self.reach.add_keys(keys);
        self.booking.add_keys(keys, 2);
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Booked, Error> {
        let Transfer { variant, from, to, quantity, .. } = self.transfer;
        use_location(states, from, "from_location_id")?;
        use_location(states, to, "to_location_id")?;
        let units = i64::from(quantity.get());
        let mut shelf = Shelf::new(&self.reach, &self.booking, now);
        shelf.book(states, variant, from, |row| row.take_away(units))?;
        shelf.ensure_at(states, variant, to)?;
        shelf.book(states, variant, to, |row| row.adjust(units))?;
        Ok(shelf.close(states))
    }
}
