//! The one command that writes carts: what was read, changed and priced is written if nobody
//! changed it in between.

use kernel::Timestamp;
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;

use super::app::{App, Keyed, Seen, SeenCart};
use super::error::Error;
use super::{erase_customer, kept_answers};
use crate::domain::checkout::RequestKey;
use crate::domain::{Cart, CartId};

/// How often a use case reads again after somebody else was faster.
pub(super) const TRIES: usize = 8;

/// Writes every cart whose version is still the one read (0: it must be new), or none of them.
pub(super) struct PutCarts {
    pub carts: Vec<Seen<CartId, Cart>>,
    /// The request whose kept answer will show the first of them.
    pub request: Option<RequestKey>,
}

impl Command for PutCarts {
    /// The new versions, in order.
    type Reply = Vec<u64>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        for cart in &self.carts {
            keys.add::<Cart>(cart.id.uuid());
            erase_customer::add_key(keys, cart.state.owner);
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Vec<u64>, Error> {
        for cart in &self.carts {
            erase_customer::refuse_erased(states, cart.state.owner)?;
            if states.version::<Cart>(cart.id.uuid()) != cart.version {
                return Err(Error::Moved);
            }
        }
        let mut request = self.request.clone();
        for cart in &self.carts {
            let mut state = cart.state.clone();
            if let Some(request) = request.take() {
                kept_answers::erase(states, state.keep(request, now));
            }
            states.put(cart.id.uuid(), state);
        }
        Ok(self.carts.iter().map(|cart| states.version::<Cart>(cart.id.uuid())).collect())
    }
}

impl App {
    /// Writes `seen` (the cart as it shall be, with the version it was read at) and `others`.
    pub(super) async fn put(
        &self,
        context: &Context,
        once: Option<Keyed<SeenCart>>,
        seen: SeenCart,
        others: Vec<Seen<CartId, Cart>>,
    ) -> Result<SeenCart, Error> {
        let state = seen.cart.clone();
        let mut carts = vec![Seen { id: seen.id, version: seen.version, state }];
        carts.extend(others);
        let request = once.as_ref().map(|once| kept_answers::request(&once.key));
        let once = once.map(|once| {
            let (render, seen) = (once.render, seen.clone());
            let answer = move |versions: &Vec<u64>| render(&written(seen.clone(), versions));
            Idempotent::render(once.key, answer)
        });
        let versions =
            self.executor.execute_once(context, once, PutCarts { carts, request }).await?;
        Ok(written(seen, &versions))
    }
}

fn written(seen: SeenCart, versions: &[u64]) -> SeenCart {
    SeenCart { version: versions.first().copied().unwrap_or(seen.version), ..seen }
}
