//! The contract `mercat.ordering.v1`, over the use cases.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::ordering::{OrderingApi, v1};
use platform::Context;
use platform::rpc::{CallError, uuid_from};

use crate::application::App;

pub struct OrderingGrpc {
    app: Arc<App>,
}

impl OrderingGrpc {
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[async_trait]
impl OrderingApi for OrderingGrpc {
    async fn get_order(
        &self,
        _context: Context,
        request: v1::GetOrderRequest,
    ) -> Result<v1::GetOrderReply, CallError> {
        let id = uuid_from(&request.order_id, "order_id")?;
        let order = self.app.read_order(id.into()).await;
        let order = order.map_err(|error| CallError::from_business(&error))?;
        Ok(v1::GetOrderReply {
            order_id: request.order_id,
            status: order.state.stage.name().to_owned(),
            total_minor: order.state.sums.total_minor,
            currency: order.state.currency.code().to_owned(),
        })
    }
}
