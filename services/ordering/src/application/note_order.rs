//! Staff writes a remark on an order.

use kernel::Timestamp;
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;

use super::app::{App, Keyed, SeenOrder};
use super::error::Error;
use super::kept_answers;
use crate::domain::checkout::RequestKey;
use crate::domain::order::Note;
use crate::domain::{NoteId, Order, OrderId, Refusal};

struct NoteOrder {
    order: OrderId,
    note: NoteId,
    text: String,
    by: String,
    /// Its kept answer will show the order.
    request: Option<RequestKey>,
}

impl Command for NoteOrder {
    type Reply = SeenOrder;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Order>(self.order.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<SeenOrder, Error> {
        let id = self.order.uuid();
        let mut order = states.get::<Order>(id).ok_or(Refusal::OrderNotFound)?.clone();
        let (text, by) = (self.text.clone(), self.by.clone());
        order.add_note(Note { id: self.note, text, by, at: now })?;
        if let Some(request) = self.request.clone() {
            kept_answers::erase(states, order.keep(request, now));
        }
        states.put(id, order.clone());
        Ok(SeenOrder { id: self.order, version: states.version::<Order>(id), state: order })
    }
}

impl App {
    pub async fn note_order(
        &self,
        context: &Context,
        once: Option<Keyed<SeenOrder>>,
        order: OrderId,
        text: String,
    ) -> Result<SeenOrder, Error> {
        let request = once.as_ref().map(|once| kept_answers::request(&once.key));
        let once = once.map(|once| {
            let render = once.render;
            Idempotent::render(once.key, move |order: &SeenOrder| render(order))
        });
        let note = self.env().id();
        let by = context.principal.owner();
        let command = NoteOrder { order, note, text, by, request };
        self.executor.execute_once(context, once, command).await
    }
}
