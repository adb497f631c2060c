//! What ordering hears: what became of the money of its orders, and which customers are forgotten.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::identity::v1::AccountErased;
use contracts::payment::v1::{PaymentCaptured, PaymentRefunded, PaymentVoided};
use kernel::id::Uuid;
use platform::Context;
use platform::event::{Consumer, Envelope, Event, HandleError, Handler};

use crate::application::App;
use crate::application::follow_payments::PaymentFact;
use crate::domain::{CustomerId, OrderId};

const PAYMENTS: &str = "ordering.payments";
const ACCOUNTS: &str = "ordering.accounts";

pub fn consumers(app: Arc<App>) -> Vec<Consumer> {
    let payments = Consumer {
        name: PAYMENTS,
        sources: &["payment"],
        types: &[PaymentCaptured::TYPE, PaymentRefunded::TYPE, PaymentVoided::TYPE],
        handler: Arc::new(PaymentEvents { app: app.clone() }),
    };
    let accounts = Consumer {
        name: ACCOUNTS,
        sources: &["identity"],
        types: &[AccountErased::TYPE],
        handler: Arc::new(AccountEvents { app }),
    };
    vec![payments, accounts]
}

struct AccountEvents {
    app: Arc<App>,
}

#[async_trait]
impl Handler for AccountEvents {
    async fn handle(&self, _context: &Context, envelope: &Envelope) -> Result<(), HandleError> {
        let Some(event) = envelope.decode::<AccountErased>() else {
            return Err(HandleError::unexpected(envelope));
        };
        let account = id_of(&event?.account_id, "the account's id does not have 16 bytes")?;
        self.app.begin_erasure(ACCOUNTS, envelope, CustomerId::from_uuid(account)).await
    }
}

struct PaymentEvents {
    app: Arc<App>,
}

#[async_trait]
impl Handler for PaymentEvents {
    async fn handle(&self, _context: &Context, envelope: &Envelope) -> Result<(), HandleError> {
        match fact_of(envelope)? {
            Some((order, fact)) => self.app.follow_payment(PAYMENTS, envelope, order, fact).await,
            None => Err(HandleError::unexpected(envelope)),
        }
    }
}

fn fact_of(envelope: &Envelope) -> Result<Option<(OrderId, PaymentFact)>, HandleError> {
    let (order, fact) = if let Some(event) = envelope.decode::<PaymentCaptured>() {
        let PaymentCaptured { order_id, payment_id, amount_minor, captured_minor, .. } = event?;
        let payment = id_of(&payment_id, "the payment's id does not have 16 bytes")?.into();
        (order_id, PaymentFact::Captured { payment, amount_minor, captured_minor })
    } else if let Some(event) = envelope.decode::<PaymentRefunded>() {
        let PaymentRefunded { order_id, amount_minor, refunded_minor, .. } = event?;
        (order_id, PaymentFact::Refunded { amount_minor, refunded_minor })
    } else if let Some(event) = envelope.decode::<PaymentVoided>() {
        (event?.order_id, PaymentFact::Voided)
    } else {
        return Ok(None);
    };
    let order = id_of(&order, "the order's id does not have 16 bytes")?;
    Ok(Some((order.into(), fact)))
}

fn id_of(bytes: &[u8], otherwise: &'static str) -> Result<Uuid, HandleError> {
    Uuid::from_slice(bytes).map_err(|_| HandleError::new(otherwise))
}
