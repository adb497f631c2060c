//! Publish, unpublish or archive a product.

use kernel::Timestamp;
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;
use platform::store::Versioned;

use super::{Catalog, Error, Publish};
use crate::domain::events;
use crate::domain::{Product, ProductId, Status};

impl Catalog {
    /// Sets the status; a product that already has it stays as it is.
    pub async fn change_status(
        &self,
        context: &Context,
        once: Option<Idempotent<Versioned<Product>>>,
        id: ProductId,
        expected: Option<u64>,
        status: Status,
    ) -> Result<Versioned<Product>, Error> {
        let command = ChangeStatus { id, expected, status, publish: self.publish };
        self.executor.execute_once(context, once, command).await
    }
}

struct ChangeStatus {
    id: ProductId,
    expected: Option<u64>,
    status: Status,
    publish: Publish,
}

impl Command for ChangeStatus {
    type Reply = Versioned<Product>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Product>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        let id = self.id.uuid();
        let version = states.version::<Product>(id);
        let old = states.get::<Product>(id).ok_or(Error::NoProduct)?.clone();
        if self.expected.is_some_and(|expected| expected != version) {
            return Err(Error::Changed);
        }
        if old.status == self.status {
            return Ok(Versioned { id, version, state: old });
        }
        let mut product = old.clone();
        product.set_status(self.status, now);
        product.updated_at = now;
        states.put(id, product.clone());
        for event in events::between(Some(&old), Some(&product)) {
            (self.publish)(states, self.id, &event);
        }
        Ok(Versioned { id, version: states.version::<Product>(id), state: product })
    }
}
