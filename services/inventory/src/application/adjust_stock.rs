//! A person corrects the books and says why.

use kernel::Timestamp;
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;

use super::locations::Place;
use super::reach::Reach;
use super::shelf::{Shelf, add_location_key, use_location};
use super::{Booked, Booking, Error, Inventory};
use crate::domain::{LocationId, MovementKind, Reason, VariantId};

pub struct Adjustment {
    pub variant: VariantId,
    pub location: LocationId,
    pub delta: i64,
    pub reason: Reason,
    pub note: Option<String>,
}

impl Inventory {
    /// Refused when it would leave fewer units than orders hold, unless the variant may be sold
    /// below zero or is not counted.
    pub async fn adjust(
        &self,
        context: &Context,
        once: Option<Idempotent<Booked>>,
        adjustment: Adjustment,
    ) -> Result<Booked, Error> {
        let mut reach = Reach::homes([adjustment.variant]);
        reach.add(adjustment.variant, Place { id: adjustment.location, active: true });
        let booking = Booking {
            id: self.executor.env().uuid(),
            kind: MovementKind::Adjustment,
            reason: Some(adjustment.reason),
            reference: None,
            note: adjustment.note.clone(),
            by: Some(context.principal.owner()),
        };
        self.executor.execute_once(context, once, Adjust { adjustment, reach, booking }).await
    }
}

struct Adjust {
    adjustment: Adjustment,
    reach: Reach,
    booking: Booking,
}

impl Command for Adjust {
    type Reply = Booked;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        add_location_key(keys, self.adjustment.location);
        self.reach.add_keys(keys);
        self.booking.add_keys(keys, 1);
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Booked, Error> {
        let Adjustment { variant, location, delta, .. } = self.adjustment;
        use_location(states, location, "location_id")?;
        let mut shelf = Shelf::new(&self.reach, &self.booking, now);
        shelf.ensure_at(states, variant, location)?;
        shelf.book(states, variant, location, |row| row.adjust(delta))?;
        Ok(shelf.close(states))
    }
}
