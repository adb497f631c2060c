//! How a reservation ends: its order is confirmed, rejected or cancelled, asks for a release, or
//! lets the time run out. One command for all, because each is a step of one life cycle.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use contracts::inventory::v1::ReservationExpired;
use kernel::Timestamp;
use kernel::id::Uuid;
use platform::event::Envelope;
use platform::executor::{Command, Keys, States};
use platform::sometimes;
use platform::{Context, bug};

use super::reach::Reach;
use super::reserve_stock::{Wanted, ask};
use super::shelf::Shelf;
use super::{Booking, Error, Inventory};
use crate::domain::{
    Ask, Effect, Line, LocationId, MovementKind, OrderId, Policy, Refusal, Reservation, VariantId,
    allocate_regardless,
};

/// What happened to the order.
#[derive(Clone, Debug)]
pub enum Step {
    /// It asks for its units to be given back, or was rejected. Leaves a mark if it holds none.
    Release,
    /// Its time is over.
    Expire,
    /// It was confirmed with these units. Nothing refuses this any more.
    Confirm(Wanted),
    Cancel,
}

impl Inventory {
    /// Gives back what the order holds. Idempotent.
    pub async fn release(&self, context: &Context, order: OrderId) -> Result<(), Error> {
        let id = self.executor.env().uuid();
        for attempt in 0..3 {
            let (settle, _) = self.prepare(order, Step::Release, id, attempt).await?;
            match self.executor.execute(context, settle).await {
                Err(Error::Stale) => {}
                outcome => return outcome,
            }
        }
        Err(Error::Stale)
    }

    /// The step that an event of ordering tells of, exactly once. Returns the units that a
    /// confirmed order took though they were not there.
    pub async fn follow(
        &self,
        consumer: &'static str,
        envelope: &Envelope,
        order: OrderId,
        step: Step,
    ) -> Result<i64, Error> {
        for attempt in 0..3 {
            let (settle, oversold) =
                self.prepare(order, step.clone(), envelope.id, attempt).await?;
            match self.executor.consume(consumer, envelope, settle).await {
                Err(Error::Stale) => {}
                outcome => {
                    outcome?;
                    return Ok(oversold.load(Ordering::Relaxed));
                }
            }
        }
        Err(Error::Stale)
    }

    /// A confirmation names its variants, and most often the rows of those are all it needs; so
    /// the reservation is read first only for other steps, or when that was not enough.
    async fn prepare(
        &self,
        order: OrderId,
        step: Step,
        id: Uuid,
        attempt: u32,
    ) -> Result<(Settle, Arc<AtomicI64>), Error> {
        let mut reach = Reach::default();
        if let Step::Confirm(wanted) = &step {
            let variants: Vec<VariantId> = wanted.keys().copied().collect();
            reach = self.reach(&variants, attempt > 0).await?;
        }
        if attempt > 0 || !matches!(step, Step::Confirm(_)) {
            let known = self.store().get::<Reservation>(order.uuid()).await?;
            reach.join(known.map(|known| Reach::of_lines(&known.lines)).unwrap_or_default());
        }
        let oversold = Arc::new(AtomicI64::new(0));
        let kind = match step {
            Step::Cancel => MovementKind::Return,
            _ => MovementKind::Sale,
        };
        let mut booking = Booking::new(id, kind);
        booking.reference = Some(order.to_string());
        // A row sold without a reservation may need a second movement, for what was not there.
        let movements = match step {
            Step::Release | Step::Expire => 0,
            Step::Confirm(_) if attempt > 0 => 2 * reach.len(),
            Step::Confirm(_) | Step::Cancel => reach.len(),
        };
        let settle = Settle { order, step, reach, booking, movements, oversold: oversold.clone() };
        Ok((settle, oversold))
    }
}

pub(super) struct Settle {
    order: OrderId,
    step: Step,
    reach: Reach,
    booking: Booking,
    movements: usize,
    /// Written by the last decision, read after the commit: a consumer's command has no reply.
    oversold: Arc<AtomicI64>,
}

impl Settle {
    /// For the expiry task, which has just read the reservation.
    pub(super) fn expiry(order: OrderId, lines: &[Line]) -> Self {
        Self {
            order,
            step: Step::Expire,
            reach: Reach::of_lines(lines),
            booking: Booking::new(order.uuid(), MovementKind::Sale),
            movements: 0,
            oversold: Arc::default(),
        }
    }
}

impl Command for Settle {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Reservation>(self.order.uuid());
        self.reach.add_keys(keys);
        self.booking.add_keys(keys, self.movements);
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        if self.is_forgotten() {
            return Ok(());
        }
        let id = self.order.uuid();
        let known = states.get::<Reservation>(id).cloned();
        let existed = known.is_some();
        let mut reservation = known.unwrap_or_else(|| {
            sometimes::reached("a release came before its reservation");
            Reservation::mark(now)
        });
        let effect = match &self.step {
            Step::Release => reservation.release(now),
            Step::Expire => reservation.expire(now),
            Step::Confirm(_) => reservation.confirm(now),
            Step::Cancel => reservation.cancel(now),
        };
        if effect == Effect::Nothing && (existed || matches!(self.step, Step::Expire)) {
            return Ok(());
        }
        let mut shelf = Shelf::new(&self.reach, &self.booking, now);
        let mut oversold = 0;
        match effect {
            Effect::Nothing => {}
            Effect::Release => each_split(&reservation.lines, |variant, location, units| {
                shelf.change(states, variant, location, |row| row.release(units))
            })?,
            Effect::Commit => commit(&mut shelf, states, &reservation.lines)?,
            Effect::Return => each_split(&reservation.lines, |variant, location, units| {
                shelf.book(states, variant, location, |row| {
                    row.put_back(units);
                    Ok(())
                })
            })?,
            Effect::SellUnreserved => {
                sometimes::reached("an order was sold whose reservation was gone");
                let Step::Confirm(wanted) = &self.step else {
                    return Err(Error::Stale);
                };
                reservation.lines = self.take_regardless(states, wanted)?;
                oversold = sell(&mut shelf, states, &reservation.lines)?;
            }
        }
        if shelf.movements() > self.movements {
            return Err(Error::Stale);
        }
        shelf.close(states);
        if effect == Effect::Release && matches!(self.step, Step::Expire) {
            sometimes::reached("a reservation expired");
            let order_id = id.as_bytes().to_vec();
            states.emit::<Reservation, _>(id, &ReservationExpired { order_id });
        }
        states.put(id, reservation);
        self.oversold.store(oversold, Ordering::Relaxed);
        Ok(())
    }
}

impl Settle {
    /// Of no order, unless a bug is seeded.
    fn is_forgotten(&self) -> bool {
        match self.step {
            Step::Release => bug::is("forget-release"),
            Step::Cancel => bug::is("ignore-cancellation"),
            _ => false,
        }
    }

    fn take_regardless(&self, states: &States<'_>, wanted: &Wanted) -> Result<Vec<Line>, Error> {
        if wanted.keys().any(|variant| self.reach.home(*variant).is_none())
            || self.reach.misses_a_place(states)
        {
            return Err(Error::Stale);
        }
        let asks: Vec<Ask<'_>> = wanted
            .iter()
            .map(|(variant, units)| ask(&self.reach, states, *variant, *units))
            .collect();
        Ok(allocate_regardless(&asks))
    }
}

fn each_split(
    lines: &[Line],
    mut each: impl FnMut(VariantId, LocationId, i64) -> Result<(), Error>,
) -> Result<(), Error> {
    for line in lines {
        for split in &line.splits {
            each(line.variant, split.location, i64::from(split.units))?;
        }
    }
    Ok(())
}

/// Takes the units that the order holds.
fn commit(shelf: &mut Shelf<'_>, states: &States<'_>, lines: &[Line]) -> Result<(), Error> {
    each_split(lines, |variant, location, units| {
        if bug::is("sold-stays-on-shelf") {
            let row = shelf.change(states, variant, location, |row| {
                row.release(units).map(|()| row.clone())
            })?;
            shelf.record(&row, MovementKind::Sale, -units);
            return Ok(());
        }
        shelf.book(states, variant, location, |row| row.commit(units))
    })?;
    if bug::is("effect-twice") {
        sell(shelf, states, lines)?;
    }
    Ok(())
}

/// Takes units that nobody holds; those that are not there are booked as oversold.
fn sell(shelf: &mut Shelf<'_>, states: &States<'_>, lines: &[Line]) -> Result<i64, Error> {
    let mut oversold = 0;
    each_split(lines, |variant, location, units| {
        if location == LocationId::DEFAULT {
            shelf.ensure_home(states, variant, Policy::UNKNOWN)?;
        }
        let sold = |shelf: &mut Shelf<'_>, kind, units: i64| -> Result<i64, Error> {
            let (missing, after) = shelf.change(states, variant, location, |row| {
                let missing = row.sell_unreserved(units);
                Ok::<_, Refusal>((missing, row.clone()))
            })?;
            shelf.record(&after, kind, -units);
            Ok(missing)
        };
        let free = shelf
            .find(states, variant, location)?
            .map_or(0, |row| if row.policy().strict() { row.free() } else { units });
        let there = units.min(free);
        if there > 0 {
            sold(shelf, MovementKind::Sale, there)?;
        }
        if units > there {
            oversold += sold(shelf, MovementKind::Oversold, units - there)?;
        }
        Ok(())
    })?;
    Ok(oversold)
}
