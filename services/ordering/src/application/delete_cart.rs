//! Throws a cart away.

use kernel::Timestamp;
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;

use super::app::{App, Keyed};
use super::error::Error;
use super::kept_answers;
use crate::domain::{Access, Cart, CartId, Refusal};

struct DeleteCart {
    id: CartId,
    access: Access,
    expected: Option<u64>,
}

impl Command for DeleteCart {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Cart>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        let id = self.id.uuid();
        let cart = states.get::<Cart>(id).ok_or(Refusal::CartNotFound)?;
        cart.visible(&self.access)?;
        cart.open()?;
        if self.expected.is_some_and(|expected| expected != states.version::<Cart>(id)) {
            return Err(Refusal::CartChanged.into());
        }
        // Nothing leads to its kept answers any more, so they go while they are known.
        let kept = cart.kept.clone().take(now);
        states.delete::<Cart>(id);
        kept_answers::erase(states, kept);
        Ok(())
    }
}

impl App {
    /// Only an open cart can go; one that made an order is kept until it expires, so that whoever
    /// completes it again finds the order.
    pub async fn delete_cart(
        &self,
        context: &Context,
        once: Option<Keyed<()>>,
        access: Access,
        id: CartId,
        expected: Option<u64>,
    ) -> Result<(), Error> {
        let once = once
            .map(|Keyed { key, render }| Idempotent::render(key, move |reply: &()| render(reply)));
        self.executor.execute_once(context, once, DeleteCart { id, access, expected }).await
    }
}
