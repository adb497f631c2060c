//! Orders, from the contract of ordering.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::ordering::{OrderingApi, v1};
use kernel::ErrorKind;
use platform::Context;

use crate::domain::OrderId;
use crate::ports::{NoAnswer, OrderState, Orders};

pub struct Ordering {
    api: Arc<dyn OrderingApi>,
}

impl Ordering {
    pub fn new(api: Arc<dyn OrderingApi>) -> Self {
        Self { api }
    }
}

#[async_trait]
impl Orders for Ordering {
    async fn state(&self, context: &Context, order: OrderId) -> Result<OrderState, NoAnswer> {
        let request = v1::GetOrderRequest { order_id: order.uuid().as_bytes().to_vec() };
        match self.api.get_order(context.clone(), request).await {
            Ok(reply) => state_of(&reply.status),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(OrderState::Absent),
            Err(error) => Err(NoAnswer(error.to_string())),
        }
    }
}

/// A status of a later version is no answer: whoever does not know it must not act on it.
fn state_of(status: &str) -> Result<OrderState, NoAnswer> {
    match status {
        "placed" => Ok(OrderState::Undecided),
        "confirmed" => Ok(OrderState::Confirmed),
        "rejected" | "cancelled" => Ok(OrderState::Over),
        other => Err(NoAnswer(format!("an order is {other:?}, which this version does not know"))),
    }
}
