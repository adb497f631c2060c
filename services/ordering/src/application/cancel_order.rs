//! Cancels confirmed orders. Stock and money go back on the event.

use contracts::ordering::v1;
use kernel::Timestamp;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;
use platform::{Context, crash};

use super::app::{App, Keyed, SeenOrder};
use super::error::Error;
use super::kept_answers;
use super::place_order::lines_of;
use crate::domain::checkout::RequestKey;
use crate::domain::{Access, Order, OrderId, Refusal};

/// Who cancels.
pub enum Canceller {
    Buyer(Access),
    /// With the reason as staff put it.
    Staff(String),
}

struct CancelOrder {
    id: OrderId,
    canceller: Canceller,
    by: String,
    expected: Option<u64>,
    /// Its kept answer will show the order.
    request: Option<RequestKey>,
}

impl Command for CancelOrder {
    type Reply = SeenOrder;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Order>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<SeenOrder, Error> {
        let id = self.id.uuid();
        let mut order = states.get::<Order>(id).ok_or(Refusal::OrderNotFound)?.clone();
        // Free text may hold anything; events carry a code instead.
        let code = match &self.canceller {
            Canceller::Buyer(access) => {
                order.visible(access)?;
                order.cancel_by_buyer(self.by.clone(), now)?;
                "buyer"
            }
            Canceller::Staff(reason) => {
                if self.expected.is_some_and(|e| e != states.version::<Order>(id)) {
                    return Err(Refusal::OrderChanged.into());
                }
                order.cancel(reason.clone(), self.by.clone(), now)?;
                "staff"
            }
        };
        let payment = order.payment().map(|payment| payment.id.uuid().as_bytes().to_vec());
        let cancelled = v1::OrderCancelled {
            order_id: id.as_bytes().to_vec(),
            payment_id: payment.unwrap_or_default(),
            reason: code.to_owned(),
            lines: lines_of(&order),
        };
        if let Some(request) = self.request.clone() {
            kept_answers::erase(states, order.keep(request, now));
        }
        states.put(id, order.clone());
        states.emit::<Order, _>(id, &cancelled);
        Ok(SeenOrder { id: self.id, version: states.version::<Order>(id), state: order })
    }
}

impl App {
    pub async fn cancel_order(
        &self,
        context: &Context,
        once: Option<Keyed<SeenOrder>>,
        id: OrderId,
        canceller: Canceller,
        expected: Option<u64>,
    ) -> Result<SeenOrder, Error> {
        let by = context.principal.owner();
        let request = once.as_ref().map(|once| kept_answers::request(&once.key));
        let once = once.map(|once| {
            let render = once.render;
            Idempotent::render(once.key, move |order: &SeenOrder| render(order))
        });
        crash::point("ordering.cancel.before");
        let command = CancelOrder { id, canceller, by, expected, request };
        let outcome = self.executor.execute_once(context, once, command).await;
        crash::point("ordering.cancel.after");
        outcome
    }
}
