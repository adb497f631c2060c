//! Events: facts on their way out, orders' events on their way in.

use async_trait::async_trait;
use contracts::ordering::v1::{OrderCancelled, OrderConfirmed, OrderRejected};
use contracts::payment::v1;
use platform::Context;
use platform::event::{Consumer, Envelope, Event, HandleError, Handler};
use platform::executor::States;

use crate::application::follow_orders::CONSUMER;
use crate::application::{Error, Payments};
use crate::domain::{Fact, OrderId, Payment};
use std::sync::Arc;

/// Emits the event that a fact is told by.
pub fn publish(states: &mut States<'_>, payment: &Payment, fact: &Fact) {
    let id = payment.id.uuid();
    let payment_id = id.as_bytes().to_vec();
    let order_id = payment.order_id.uuid().as_bytes().to_vec();
    match fact {
        Fact::Authorized { amount } => states.emit::<Payment, _>(
            id,
            &v1::PaymentAuthorized {
                payment_id,
                order_id,
                amount_minor: amount.amount_minor(),
                currency: amount.currency().to_string(),
            },
        ),
        Fact::Declined { code } => states.emit::<Payment, _>(
            id,
            &v1::PaymentDeclined { payment_id, order_id, code: code.clone() },
        ),
        Fact::Voided => {
            states.emit::<Payment, _>(id, &v1::PaymentVoided { payment_id, order_id });
        }
        Fact::Captured { amount, total, .. } => states.emit::<Payment, _>(
            id,
            &v1::PaymentCaptured {
                payment_id,
                order_id,
                amount_minor: amount.amount_minor(),
                captured_minor: total.amount_minor(),
                currency: amount.currency().to_string(),
            },
        ),
        Fact::Refunded { refund, amount, total } => states.emit::<Payment, _>(
            id,
            &v1::PaymentRefunded {
                payment_id,
                order_id,
                refund_id: refund.uuid().as_bytes().to_vec(),
                amount_minor: amount.amount_minor(),
                refunded_minor: total.amount_minor(),
                currency: amount.currency().to_string(),
            },
        ),
    }
}

/// Listens to what becomes of orders.
pub fn consumer(payments: Payments, captures_at_once: bool) -> Consumer {
    let types: &[&str] = if captures_at_once {
        &[OrderConfirmed::TYPE, OrderRejected::TYPE, OrderCancelled::TYPE]
    } else {
        &[OrderRejected::TYPE, OrderCancelled::TYPE]
    };
    let handler = Arc::new(Orders { payments });
    Consumer { name: CONSUMER, sources: &["ordering"], types, handler }
}

struct Orders {
    payments: Payments,
}

#[async_trait]
impl Handler for Orders {
    async fn handle(&self, _context: &Context, envelope: &Envelope) -> Result<(), HandleError> {
        let payments = &self.payments;
        let outcome = if let Some(event) = envelope.decode::<OrderConfirmed>() {
            payments.capture_confirmed(envelope, order(&event?.order_id)?).await
        } else if let Some(event) = envelope.decode::<OrderRejected>() {
            let event = event?;
            payments.cancel_ended(envelope, order(&event.order_id)?, event.reason).await
        } else if let Some(event) = envelope.decode::<OrderCancelled>() {
            let event = event?;
            payments.cancel_ended(envelope, order(&event.order_id)?, event.reason).await
        } else {
            return Err(HandleError::unexpected(envelope));
        };
        outcome.map_err(|error| match error {
            Error::Store(error) => error.into(),
            other => HandleError::new(other),
        })
    }
}

fn order(bytes: &[u8]) -> Result<OrderId, HandleError> {
    platform::rpc::uuid_from(bytes, "order_id").map(OrderId::from_uuid).map_err(HandleError::new)
}
