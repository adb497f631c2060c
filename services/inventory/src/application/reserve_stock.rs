//! Reserve: all lines of an order, or none.

use std::collections::BTreeMap;

use kernel::Timestamp;
use platform::Context;
use platform::executor::{Command, Keys, States};

use super::reach::Reach;
use super::shelf::Shelf;
use super::{Booking, Error, Inventory};
use crate::domain::{Ask, MovementKind, OrderId, Outcome, Reservation, Stock, VariantId, allocate};

/// Units by variant; a variant that stands in two lines of the order stands here once.
pub type Wanted = BTreeMap<VariantId, u32>;

impl Inventory {
    /// Idempotent by order: whoever asks again gets the first answer, or `Released` once the units
    /// were given back.
    pub async fn reserve(
        &self,
        context: &Context,
        order: OrderId,
        wanted: &Wanted,
        expires_at: Timestamp,
    ) -> Result<Outcome, Error> {
        let variants: Vec<VariantId> = wanted.keys().copied().collect();
        for attempt in 0..3 {
            let reach = self.reach(&variants, attempt > 0).await?;
            let booking = Booking::new(order.uuid(), MovementKind::Sale);
            let command = Reserve { order, wanted: wanted.clone(), expires_at, reach, booking };
            match self.executor.execute(context, command).await {
                Err(Error::Stale) => {}
                outcome => return outcome,
            }
        }
        Err(Error::Stale)
    }
}

struct Reserve {
    order: OrderId,
    wanted: Wanted,
    expires_at: Timestamp,
    reach: Reach,
    booking: Booking,
}

impl Command for Reserve {
    type Reply = Outcome;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Reservation>(self.order.uuid());
        self.reach.add_keys(keys);
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Outcome, Error> {
        if let Some(known) = states.get::<Reservation>(self.order.uuid()) {
            return Ok(known.outcome());
        }
        if self.expires_at <= now {
            // Too late to hold anything; later calls are later still, so the answer stays.
            return Ok(Outcome::Released);
        }
        let asks: Vec<Ask<'_>> = self
            .wanted
            .iter()
            .map(|(variant, units)| ask(&self.reach, states, *variant, *units))
            .collect();
        let reservation = match allocate(&asks) {
            Ok(lines) => {
                let mut shelf = Shelf::new(&self.reach, &self.booking, now);
                for line in &lines {
                    for split in &line.splits {
                        let units = i64::from(split.units);
                        shelf.change(states, line.variant, split.location, |row| {
                            row.reserve(units)
                        })?;
                    }
                }
                shelf.close(states);
                Reservation::active(lines, self.expires_at, now)
            }
            Err(_) if self.reach.misses_a_place(states) => return Err(Error::Stale),
            Err(shortages) => Reservation::refused(shortages, now),
        };
        let outcome = reservation.outcome();
        states.put(self.order.uuid(), reservation);
        Ok(outcome)
    }
}

/// What can serve one variant.
pub(super) fn ask<'s>(
    reach: &Reach,
    states: &'s States<'_>,
    variant: VariantId,
    units: u32,
) -> Ask<'s> {
    let active = reach.rows(variant).iter().filter(|row| row.active);
    Ask {
        variant,
        units,
        home: reach.home(variant).and_then(|home| states.get::<Stock>(home.id)),
        rows: active.filter_map(|row| states.get::<Stock>(row.id)).collect(),
    }
}
