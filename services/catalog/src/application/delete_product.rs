//! Delete a product with all its variants.

use kernel::Timestamp;
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;

use super::{Catalog, Error, Publish};
use crate::domain::events;
use crate::domain::{Availability, Product, ProductId};

impl Catalog {
    pub async fn delete_product(
        &self,
        context: &Context,
        once: Option<Idempotent<()>>,
        id: ProductId,
        expected: u64,
    ) -> Result<(), Error> {
        let command = DeleteProduct { id, expected, publish: self.publish };
        self.executor.execute_once(context, once, command).await
    }
}

struct DeleteProduct {
    id: ProductId,
    expected: u64,
    publish: Publish,
}

impl Command for DeleteProduct {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Product>(self.id.uuid());
        keys.add::<Availability>(self.id.uuid());
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
        if states.get::<Availability>(id).is_some() {
            states.delete::<Availability>(id);
        }
        Ok(())
    }
}
