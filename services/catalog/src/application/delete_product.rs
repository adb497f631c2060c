//! Delete a product with all its variants.

use kernel::Timestamp;
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;

use super::{Catalog, Error, Publish};
use crate::domain::events;
use crate::domain::{Availability, Product, ProductId, VariantId};

impl Catalog {
    pub async fn delete_product(
        &self,
        context: &Context,
        once: Option<Idempotent<()>>,
        id: ProductId,
        expected: u64,
    ) -> Result<(), Error> {
        let product = self.executor.store().get::<Product>(id.uuid()).await?;
        let variants = product.ok_or(Error::NoProduct)?.variant_ids();
        let command = DeleteProduct { id, expected, variants, publish: self.publish };
        self.executor.execute_once(context, once, command).await
    }
}

struct DeleteProduct {
    id: ProductId,
    expected: u64,
    /// As they were read: those of the expected version.
    variants: Vec<VariantId>,
    publish: Publish,
}

impl Command for DeleteProduct {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Product>(self.id.uuid());
        for variant in &self.variants {
            keys.add::<Availability>(variant.uuid());
        }
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<(), Error> {
        let id = self.id.uuid();
        if states.version::<Product>(id) != self.expected {
            let known = states.get::<Product>(id).is_some();
            return Err(if known { Error::Changed } else { Error::NoProduct });
        }
        let old = states.get::<Product>(id).ok_or(Error::NoProduct)?.clone();
        for event in events::between(Some(&old), None) {
            (self.publish)(states, self.id, &event);
        }
        states.delete::<Product>(id);
        for variant in &self.variants {
            if states.get::<Availability>(variant.uuid()).is_some() {
                states.delete::<Availability>(variant.uuid());
            }
        }
        Ok(())
    }
}
