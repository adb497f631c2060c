//! The port [`Stock`] over inventory's contract.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contracts::inventory::{InventoryApi, v1};
use platform::rpc::uuid_from;
use platform::{Context, Env};

use crate::domain::VariantId;
use crate::domain::export::StockLevel;
use crate::ports::{Count, Stock, StockError};

/// A thousand counts are one transaction; more time means that inventory is in trouble.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Stock as inventory keeps it.
pub struct InventoryStock {
    pub inventory: Arc<dyn InventoryApi>,
    pub env: Env,
}

#[async_trait]
impl Stock for InventoryStock {
    async fn apply(&self, context: &Context, counts: Vec<Count>) -> Result<u32, StockError> {
        let counts = counts.into_iter().map(|count| v1::Count {
            variant_id: count.variant.uuid().as_bytes().to_vec(),
            sku: count.sku,
            on_hand: count.level.on_hand,
            tracked: count.level.tracked,
            backorder: count.level.backorder,
        });
        let request = v1::ApplyCountsRequest { counts: counts.collect() };
        let context = context.with_timeout(&self.env, TIMEOUT);
        let reply = self.inventory.apply_counts(context, request).await.map_err(failed)?;
        Ok(reply.changed)
    }

    async fn levels(
        &self,
        context: &Context,
        variants: Vec<VariantId>,
    ) -> Result<HashMap<VariantId, StockLevel>, StockError> {
        let variant_ids = variants.iter().map(|id| id.uuid().as_bytes().to_vec()).collect();
        let context = context.with_timeout(&self.env, TIMEOUT);
        let request = v1::GetCountsRequest { variant_ids };
        let reply = self.inventory.get_counts(context, request).await.map_err(failed)?;
        let levels = reply.counts.into_iter().map(|count| {
            let id = uuid_from(&count.variant_id, "variant_id").map_err(failed)?;
            let level = StockLevel {
                on_hand: count.on_hand,
                tracked: count.tracked,
                backorder: count.backorder,
            };
            Ok((VariantId::from_uuid(id), level))
        });
        levels.collect()
    }
}

fn failed(error: impl std::fmt::Display) -> StockError {
    StockError(error.to_string())
}
