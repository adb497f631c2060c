//! Take note of a stock level that inventory reports.

use kernel::Timestamp;
use platform::event::Envelope;
use platform::executor::{Command, Keys, States};

use super::{Catalog, Error};
use crate::domain::Availability;
use crate::domain::availability::Level;

/// The consumer's name in the inbox; it never changes.
pub const CONSUMER: &str = "catalog.stock";

impl Catalog {
    /// Remembers whether the variant can be sold. Nothing is read before: whether it changes
    /// anything is found out in the batch that ticks the event off.
    pub async fn note_stock(&self, envelope: &Envelope, level: Level) -> Result<(), Error> {
        self.executor.consume(CONSUMER, envelope, NoteStock { level }).await
    }
}

struct NoteStock {
    level: Level,
}

impl Command for NoteStock {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Availability>(self.level.variant.uuid());
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<(), Error> {
        let id = self.level.variant.uuid();
        let mut availability = states.get::<Availability>(id).cloned().unwrap_or_default();
        if availability.note(&self.level) {
            states.put(id, availability);
        }
        Ok(())
    }
}
