//! Variants that catalog has published get a home row, so that staff find them and import and
//! receipts agree on one. Counted and with nothing on hand: nobody sells by surprise.

use kernel::Timestamp;
use kernel::id::Uuid;
use platform::event::Envelope;
use platform::executor::{Command, Keys, States};

use super::reach::Reach;
use super::shelf::Shelf;
use super::{Booking, Error, Inventory};
use crate::domain::{MovementKind, Policy, VariantId};

impl Inventory {
    /// Exactly once for each event; variants that have a row keep it as it is.
    pub async fn enrol(
        &self,
        consumer: &'static str,
        envelope: &Envelope,
        variants: Vec<VariantId>,
    ) -> Result<(), Error> {
        let reach = Reach::homes(variants.iter().copied());
        let booking = Booking::new(Uuid::nil(), MovementKind::Import);
        let command = Enrol { variants, reach, booking, policy: self.unknown_policy() };
        self.executor.consume(consumer, envelope, command).await
    }
}

struct Enrol {
    variants: Vec<VariantId>,
    reach: Reach,
    booking: Booking,
    policy: Policy,
}

impl Command for Enrol {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        self.reach.add_keys(keys);
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        let mut shelf = Shelf::new(&self.reach, &self.booking, now);
        for variant in &self.variants {
            shelf.ensure_home(states, *variant, self.policy)?;
        }
        shelf.close(states);
        Ok(())
    }
}
