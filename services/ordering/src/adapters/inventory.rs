//! Stock, from the contract of inventory.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::inventory::v1::reserve_reply::Outcome;
use contracts::inventory::{InventoryApi, v1};
use kernel::Timestamp;
use kernel::id::Uuid;
use platform::Context;

use super::catalog::{is_final, no_answer};
use crate::domain::OrderId;
use crate::domain::checkout::Shortage;
use crate::ports::{NoAnswer, Reservation, Stock, StockLine};

pub struct Inventory {
    api: Arc<dyn InventoryApi>,
}

impl Inventory {
    pub fn new(api: Arc<dyn InventoryApi>) -> Self {
        Self { api }
    }
}

#[async_trait]
impl Stock for Inventory {
    async fn reserve(
        &self,
        context: &Context,
        order: OrderId,
        lines: &[StockLine],
        expires_at: Timestamp,
    ) -> Result<Reservation, NoAnswer> {
        let line = |line: &StockLine| v1::StockLine {
            variant_id: line.variant_id.uuid().as_bytes().to_vec(),
            quantity: line.quantity.get(),
        };
        let request = v1::ReserveRequest {
            order_id: order.uuid().as_bytes().to_vec(),
            lines: lines.iter().map(line).collect(),
            expires_at_us: expires_at.as_micros(),
        };
        let reply = match self.api.reserve(context.clone(), request).await {
            Ok(reply) => reply,
            // Goods that inventory refuses to hold can never be sold.
            Err(error) if is_final(&error) => {
                tracing::error!(%order, %error, "inventory refuses a reservation");
                return Ok(Reservation::OutOfStock(Vec::new()));
            }
            Err(error) => return Err(no_answer("inventory", &error)),
        };
        match reply.outcome() {
            Outcome::Reserved => Ok(Reservation::Reserved),
            Outcome::OutOfStock => {
                Ok(Reservation::OutOfStock(reply.shortages.iter().filter_map(shortage).collect()))
            }
            Outcome::Released => Ok(Reservation::AlreadyReleased),
            Outcome::Unspecified => Err(NoAnswer {
                what: "inventory",
                kind: kernel::ErrorKind::Internal,
                detail: "an outcome that this version does not know".to_owned(),
            }),
        }
    }

    async fn release(&self, context: &Context, order: OrderId) -> Result<(), NoAnswer> {
        let request = v1::ReleaseRequest { order_id: order.uuid().as_bytes().to_vec() };
        let reply = self.api.release(context.clone(), request).await;
        reply.map(|_| ()).map_err(|error| no_answer("inventory", &error))
    }
}

fn shortage(shortage: &v1::Shortage) -> Option<Shortage> {
    let variant_id = Uuid::from_slice(&shortage.variant_id).ok()?.into();
    Some(Shortage { variant_id, requested: shortage.requested, available: shortage.available })
}
