//! Variants that catalog has published get a home row, so that staff find them and import and
//! receipts agree on one. Counted and with nothing on hand: nobody sells by surprise.
//!
//! An import publishes a product and tells its units right behind. Making empty rows between the
//! two would say of every variant that it is sold out, and then that it is not; so those variants
//! are noted down, and get their row only if the import does not come.

use std::time::Duration;

use futures_util::future::join_all;
use kernel::Timestamp;
use kernel::id::Uuid;
use platform::Context;
use platform::event::Envelope;
use platform::executor::{Command, Keys, States};
use platform::store::{Direction, Position, Query};

use super::reach::Reach;
use super::shelf::Shelf;
use super::{Booking, Error, Inventory};
use crate::domain::{Enrolment, LocationId, MovementKind, Policy, VariantId};

/// So long an import has to tell the units of what it published.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many enrolments end in one go.
const ROUND: u32 = 20;
/// How many rounds before the task gives way; the next run goes on.
const ROUNDS: u32 = 500;

impl Inventory {
    /// Exactly once for each event; variants that have a row keep it as it is.
    pub async fn enrol(
        &self,
        consumer: &'static str,
        envelope: &Envelope,
        variants: Vec<VariantId>,
        counts_follow: bool,
    ) -> Result<(), Error> {
        if counts_follow {
            let note = NoteEnrolment { id: envelope.id, variants };
            return self.executor.consume(consumer, envelope, note).await;
        }
        self.executor.consume(consumer, envelope, self.enrolling(variants, None)).await
    }

    /// Gives a row to noted variants that still have none.
    pub async fn enrol_due(&self, context: &Context) -> Result<(), Error> {
        let (mut after, mut failure) = (None, None);
        for _ in 0..ROUNDS {
            let mut query = Query::new(ROUND)
                .le("due_at", self.executor.env().now())
                .order("due_at", Direction::Ascending);
            if let Some(position) = after.take() {
                query = query.after(position);
            }
            let due = self.store().list::<Enrolment>(query).await?;
            let Some(last) = due.last() else { break };
            after = Some(Position { value: last.due_at.into(), id: last.id });
            let enrols = due.into_iter().map(|row| {
                self.executor.execute(context, self.enrolling(row.state.variants, Some(row.id)))
            });
            // One that fails must not keep the others, but it must be heard of.
            let failed = join_all(enrols).await.into_iter().find_map(Result::err);
            failure = failure.or(failed);
        }
        failure.map_or(Ok(()), Err)
    }

    fn enrolling(&self, variants: Vec<VariantId>, note: Option<Uuid>) -> Enrol {
        let reach = Reach::homes(variants.iter().copied());
        let booking = Booking::new(Uuid::nil(), MovementKind::Import);
        Enrol { variants, note, reach, booking, policy: self.unknown_policy() }
    }
}

struct NoteEnrolment {
    id: Uuid,
    variants: Vec<VariantId>,
}

impl Command for NoteEnrolment {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Enrolment>(self.id);
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        let enrolment = Enrolment { variants: self.variants.clone(), due_at: now.plus(PATIENCE) };
        states.put(self.id, enrolment);
        Ok(())
    }
}

struct Enrol {
    variants: Vec<VariantId>,
    /// The [`Enrolment`] that this ends.
    note: Option<Uuid>,
    reach: Reach,
    booking: Booking,
    policy: Policy,
}

impl Command for Enrol {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        self.reach.add_keys(keys);
        if let Some(note) = self.note {
            keys.add::<Enrolment>(note);
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        let mut shelf = Shelf::new(&self.reach, &self.booking, now);
        for variant in &self.variants {
            // A product that was deleted and made again may have variants that are known here.
            let known = shelf.find(states, *variant, LocationId::DEFAULT)?;
            if known.is_some_and(|row| !row.is_sellable()) {
                shelf.change(states, *variant, LocationId::DEFAULT, |row| {
                    row.tell_again();
                    Ok(())
                })?;
            }
            shelf.ensure_home(states, *variant, self.policy)?;
        }
        shelf.close(states);
        if let Some(note) = self.note {
            states.delete::<Enrolment>(note);
        }
        Ok(())
    }
}
