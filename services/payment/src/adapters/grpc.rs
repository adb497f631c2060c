//! The service's API for other services.

use async_trait::async_trait;
use contracts::payment::{PaymentApi, v1};
use kernel::{Business, Currency, ErrorKind, Money};
use platform::Context;
use platform::rpc::{CallError, uuid_from};

use crate::application::{Error, Payments};
use crate::domain::{Charge, NewPayment, OrderId, Outcome, PaymentId, Undoing};
use v1::authorize_reply::Outcome as Told;

/// Serves [`PaymentApi`] from the use cases.
pub struct Api {
    pub payments: Payments,
}

#[async_trait]
impl PaymentApi for Api {
    async fn authorize(
        &self,
        context: Context,
        request: v1::AuthorizeRequest,
    ) -> Result<v1::AuthorizeReply, CallError> {
        let order_id = order(&request.order_id)?;
        let currency: Currency = request.currency.parse().map_err(|error| {
            CallError::new(ErrorKind::Invalid, "invalid-message", format!("currency: {error}"))
        })?;
        let amount = Money::new(request.amount_minor, currency);
        let token = match request.payment_token.as_str() {
            "" if amount.is_zero() => None,
            text => match text.parse() {
                Ok(token) => Some(token),
                // Nothing that is no token is stored: it could be a card number.
                Err(_) => return Ok(reply(order_id, declined("invalid_token"))),
            },
        };
        let provider = self.payments.provider().name().to_owned();
        let new = NewPayment { order_id, amount, token, provider };
        let outcome = self.payments.authorize(&context, new).await.map_err(failed)?;
        Ok(reply(order_id, outcome))
    }

    async fn void(
        &self,
        context: Context,
        request: v1::VoidRequest,
    ) -> Result<v1::VoidReply, CallError> {
        let order_id = order(&request.order_id)?;
        let undoing = self.payments.cancel(&context, order_id, request.reason).await;
        let undoing = undoing.map_err(failed)?;
        let (done, refused) = (undoing == Undoing::Done, undoing == Undoing::Refused);
        Ok(v1::VoidReply { done, refused })
    }

    async fn get_payment(
        &self,
        _context: Context,
        request: v1::GetPaymentRequest,
    ) -> Result<v1::GetPaymentReply, CallError> {
        let order_id = order(&request.order_id)?;
        let payment = self.payments.get_of_order(order_id).await.map_err(failed)?;
        let minor = |money: Option<Money>| money.map_or(0, Money::amount_minor);
        let charge = payment.charge();
        Ok(v1::GetPaymentReply {
            payment_id: payment.id.uuid().as_bytes().to_vec(),
            status: payment.status().to_string(),
            authorized_minor: minor(charge.map(|charge| charge.authorized)),
            captured_minor: minor(charge.map(Charge::captured)),
            refunded_minor: minor(charge.map(Charge::refunded)),
            currency: payment
                .amount()
                .map_or_else(String::new, |amount| amount.currency().to_string()),
        })
    }
}

fn declined(code: &str) -> Outcome {
    Outcome::Declined { code: code.to_owned() }
}

fn order(bytes: &[u8]) -> Result<OrderId, CallError> {
    uuid_from(bytes, "order_id").map(OrderId::from_uuid)
}

fn failed(error: Error) -> CallError {
    if error.kind() == ErrorKind::Internal {
        tracing::error!(%error, "a call to payment failed");
    }
    CallError::from_business(&error)
}

fn reply(order_id: OrderId, outcome: Outcome) -> v1::AuthorizeReply {
    let (outcome, decline_code) = match outcome {
        Outcome::Authorized => (Told::Authorized, String::new()),
        Outcome::Declined { code } => (Told::Declined, code),
        Outcome::Unknown => (Told::Unknown, String::new()),
        Outcome::Voided => (Told::Voided, String::new()),
    };
    v1::AuthorizeReply {
        outcome: outcome.into(),
        payment_id: PaymentId::of_order(order_id).uuid().as_bytes().to_vec(),
        decline_code,
    }
}
