//! A customer's account was erased: ordering forgets who bought, and keeps what was bought.
//!
//! The event only writes down that it is to be done; from that commit on nothing is written for the
//! account any more. A periodic task then goes through carts and orders, a page in a commit, and
//! notes in the same commit how far it is: killed at any point, the next turn goes on there.

use kernel::Timestamp;
use platform::Context;
use platform::event::{Envelope, HandleError};
use platform::executor::{Command, Keys, States};
use platform::store::{Direction, Position, Query};

use super::app::App;
use super::error::Error;
use super::kept_answers;
use crate::domain::erasure::{Place, Progress};
use crate::domain::{Cart, CartId, CustomerId, Erasure, Order, OrderId, Refusal};

/// How many orders are erased in one commit.
const PAGE: u32 = 50;
/// How many customers are looked up at a time.
const CUSTOMERS: u32 = 10;

/// Declares the key that [`refuse_erased`] looks at.
pub(super) fn add_key(keys: &mut Keys, customer: Option<CustomerId>) {
    if let Some(customer) = customer {
        keys.add::<Erasure>(customer.uuid());
    }
}

/// Nothing is written for an account that was erased, though its token may still be good for a while.
pub(super) fn refuse_erased(
    states: &States<'_>,
    customer: Option<CustomerId>,
) -> Result<(), Refusal> {
    match customer {
        Some(customer) if states.get::<Erasure>(customer.uuid()).is_some() => {
            Err(Refusal::NotSignedIn)
        }
        _ => Ok(()),
    }
}

struct BeginErasure {
    customer: CustomerId,
}

impl Command for BeginErasure {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        add_key(keys, Some(self.customer));
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        if states.get::<Erasure>(self.customer.uuid()).is_none() {
            states.put(self.customer.uuid(), Erasure::begin(now));
        }
        Ok(())
    }
}

/// Some orders of a customer with the carts that they were made of, and the open cart.
struct ErasePage {
    customer: CustomerId,
    open_cart: Option<CartId>,
    orders: Vec<(OrderId, CartId)>,
    next: Progress,
}

impl ErasePage {
    fn carts(&self) -> impl Iterator<Item = CartId> + '_ {
        self.open_cart.into_iter().chain(self.orders.iter().map(|(_, cart)| *cart))
    }
}

impl Command for ErasePage {
    type Reply = ();
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        add_key(keys, Some(self.customer));
        for cart in self.carts() {
            keys.add::<Cart>(cart.uuid());
        }
        for (order, _) in &self.orders {
            keys.add::<Order>(order.uuid());
        }
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<(), Error> {
        let Some(erasure) = states.get::<Erasure>(self.customer.uuid()).copied() else {
            return Ok(());
        };
        for id in self.carts() {
            let Some(cart) = states.get::<Cart>(id.uuid()) else { continue };
            let kept = cart.kept.clone().take(now);
            states.delete::<Cart>(id.uuid());
            kept_answers::erase(states, kept);
        }
        for (id, _) in &self.orders {
            let Some(before) = states.get::<Order>(id.uuid()) else { continue };
            let mut order = before.clone();
            let kept = order.erase(now);
            if order != *before {
                states.put(id.uuid(), order);
            }
            kept_answers::erase(states, kept);
        }
        // Another process may have been faster, and to the end.
        if erasure.running().is_some() {
            states.put(self.customer.uuid(), Erasure { progress: self.next, ..erasure });
        }
        Ok(())
    }
}

impl App {
    /// Writes down that everything personal of the account is to be erased here. Exactly once for
    /// each event of `consumer`.
    pub async fn begin_erasure(
        &self,
        consumer: &'static str,
        envelope: &Envelope,
        customer: CustomerId,
    ) -> Result<(), HandleError> {
        let outcome = self.executor.consume(consumer, envelope, BeginErasure { customer }).await;
        outcome.map_err(|error| match error {
            Error::Store(error) => error.into(),
            other => HandleError::new(other),
        })
    }

    /// Goes on with what was begun, until it is done or the time is up.
    pub async fn continue_erasures(&self, context: &Context) -> Result<(), Error> {
        loop {
            let query = Query::new(CUSTOMERS)
                .ge("pending_since", Timestamp::EPOCH)
                .order("pending_since", Direction::Ascending);
            let pending = self.executor.store().list::<Erasure>(query).await?;
            if pending.is_empty() {
                return Ok(());
            }
            for row in pending {
                let mut erasure = row.state;
                while let Some(after) = erasure.running() {
                    if context.deadline.has_passed(self.env()) {
                        return Ok(());
                    }
                    let customer = CustomerId::from_uuid(row.id);
                    erasure.progress = self.erase_page(context, customer, after).await?;
                }
            }
        }
    }

    async fn erase_page(
        &self,
        context: &Context,
        customer: CustomerId,
        after: Option<Place>,
    ) -> Result<Progress, Error> {
        let store = self.executor.store();
        let open_cart = store.by::<Cart>("open_owner", customer.uuid()).await?;
        let mut query = Query::new(PAGE)
            .eq("customer_id", customer.uuid())
            .order("placed_at", Direction::Ascending);
        if let Some(Place { placed_at, order }) = after {
            query = query.after(Position { value: placed_at.into(), id: order.uuid() });
        }
        let rows = store.list::<Order>(query).await?;
        let last = rows.last().filter(|_| rows.len() == PAGE as usize);
        let next = last.map_or(Progress::Done { at: self.env().now() }, |last| {
            let place = Place { placed_at: last.state.placed_at, order: last.id.into() };
            Progress::Running { after: Some(place) }
        });
        let command = ErasePage {
            customer,
            open_cart: open_cart.map(|cart| cart.id.into()),
            orders: rows.iter().map(|row| (row.id.into(), row.state.cart_id)).collect(),
            next,
        };
        self.executor.execute(context, command).await?;
        Ok(next)
    }
}
