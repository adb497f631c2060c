//! Money, from the contract of payment.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::payment::v1::authorize_reply::Outcome;
use contracts::payment::{PaymentApi, v1};
use kernel::id::Uuid;
use kernel::{ErrorKind, Money};
use platform::Context;

use super::catalog::{is_final, no_answer};
use crate::domain::OrderId;
use crate::domain::checkout::RejectReason;
use crate::domain::payment::PaymentToken;
use crate::ports::{Authorization, NoAnswer, Payments, Voiding};

pub struct Payment {
    api: Arc<dyn PaymentApi>,
}

impl Payment {
    pub fn new(api: Arc<dyn PaymentApi>) -> Self {
        Self { api }
    }
}

#[async_trait]
impl Payments for Payment {
    async fn authorize(
        &self,
        context: &Context,
        order: OrderId,
        amount: Money,
        token: &PaymentToken,
    ) -> Result<Authorization, NoAnswer> {
        let request = v1::AuthorizeRequest {
            order_id: order.uuid().as_bytes().to_vec(),
            amount_minor: amount.amount_minor(),
            currency: amount.currency().code().to_owned(),
            payment_token: token.as_str().to_owned(),
        };
        let reply = match self.api.authorize(context.clone(), request).await {
            Ok(reply) => reply,
            // Refused before any provider was asked: the token or the amount is of no use.
            Err(error) if is_final(&error) => return Ok(Authorization::Declined(error.slug)),
            Err(error) => return Err(no_answer("payment", &error)),
        };
        match reply.outcome() {
            Outcome::Authorized => match Uuid::from_slice(&reply.payment_id) {
                Ok(id) => Ok(Authorization::Authorized(id.into())),
                Err(_) => Err(broken("an authorization without the id of its payment")),
            },
            Outcome::Declined => Ok(Authorization::Declined(reply.decline_code)),
            Outcome::Unknown => Ok(Authorization::Unknown),
            Outcome::Voided => Ok(Authorization::AlreadyVoided),
            Outcome::Unspecified => Err(broken("an outcome that this version does not know")),
        }
    }

    async fn void(
        &self,
        context: &Context,
        order: OrderId,
        reason: RejectReason,
    ) -> Result<Voiding, NoAnswer> {
        let request = v1::VoidRequest {
            order_id: order.uuid().as_bytes().to_vec(),
            reason: reason.name().to_owned(),
        };
        let reply = self.api.void(context.clone(), request).await;
        let reply = reply.map_err(|error| no_answer("payment", &error))?;
        Ok(match (reply.done, reply.refused) {
            (true, _) => Voiding::Done,
            (false, true) => Voiding::Refused,
            (false, false) => Voiding::Pending,
        })
    }
}

fn broken(detail: &str) -> NoAnswer {
    NoAnswer { what: "payment", kind: ErrorKind::Internal, detail: detail.to_owned() }
}
