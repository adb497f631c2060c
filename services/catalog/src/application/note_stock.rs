//! Take note of a stock level that inventory reports.

use kernel::Timestamp;
use platform::event::Envelope;
use platform::executor::{Command, Keys, States};

use super::{Catalog, Error};
use crate::domain::availability::Level;
use crate::domain::{Availability, ProductId};

/// The consumer's name in the inbox; it never changes.
pub const CONSUMER: &str = "catalog.stock";

impl Catalog {
    /// Remembers whether the variant can be sold. Levels of variants that this shop does not
    /// have, and levels that change nothing, are only ticked off.
    pub async fn note_stock(&self, envelope: &Envelope, level: Level) -> Result<(), Error> {
        let offers = self.listing.offers(&[level.variant]).await?;
        let Some(offered) = offers.first() else { return self.ignore(envelope).await };
        let known = self.executor.store().get::<Availability>(offered.product.uuid()).await?;
        if known.is_some_and(|mut known| !known.state.note(&level)) {
            return self.ignore(envelope).await;
        }
        let command = NoteStock { product: offered.product, level };
        self.executor.consume(CONSUMER, envelope, command).await
    }

    pub async fn ignore(&self, envelope: &Envelope) -> Result<(), Error> {
        Ok(self.executor.consume_nothing(CONSUMER, envelope).await?)
    }
}

struct NoteStock {
    product: ProductId,
    level: Level,
}

impl Command for NoteStock {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Availability>(self.product.uuid());
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<(), Error> {
        let id = self.product.uuid();
        let mut availability = states.get::<Availability>(id).cloned().unwrap_or_default();
        if availability.note(&self.level) {
            states.put(id, availability);
        }
        Ok(())
    }
}
