//! The contract `mercat.inventory.v1`, over the use cases.

use std::collections::BTreeMap;

use async_trait::async_trait;
use contracts::inventory::{InventoryApi, v1};
use kernel::id::{TypedId, Uuid};
use kernel::{ErrorKind, Quantity, Sku, Timestamp};
use platform::Context;
use platform::rpc::{CallError, uuid_from};

use crate::application::apply_counts::Count;
use crate::application::{Error, Inventory, reserve_stock::Wanted};
use crate::domain::{Imported, MAX_UNITS, OrderId, Outcome, Shortage, VariantId};

/// What one message may hold.
const MAX_LINES: usize = 500;
const MAX_VARIANTS: usize = 500;
const MAX_COUNTS: usize = 1000;

pub struct InventoryGrpc {
    inventory: Inventory,
}

impl InventoryGrpc {
    pub fn new(inventory: Inventory) -> Self {
        Self { inventory }
    }
}

#[async_trait]
impl InventoryApi for InventoryGrpc {
    async fn reserve(
        &self,
        context: Context,
        request: v1::ReserveRequest,
    ) -> Result<v1::ReserveReply, CallError> {
        let order = OrderId::from_uuid(uuid_from(&request.order_id, "order_id")?);
        let wanted = wanted(&request.lines)?;
        if request.expires_at_us <= 0 {
            return Err(invalid("expires_at_us must be a time after 1970"));
        }
        let expires_at = Timestamp::from_micros(request.expires_at_us);
        let outcome = self.inventory.reserve(&context, order, &wanted, expires_at).await;
        Ok(reserve_reply(outcome.map_err(call_error)?))
    }

    async fn release(
        &self,
        context: Context,
        request: v1::ReleaseRequest,
    ) -> Result<v1::ReleaseReply, CallError> {
        let order = OrderId::from_uuid(uuid_from(&request.order_id, "order_id")?);
        self.inventory.release(&context, order).await.map_err(call_error)?;
        Ok(v1::ReleaseReply {})
    }

    async fn get_availability(
        &self,
        _context: Context,
        request: v1::GetAvailabilityRequest,
    ) -> Result<v1::GetAvailabilityReply, CallError> {
        let ids = variant_ids(&request.variant_ids, MAX_VARIANTS)?;
        let found = self.inventory.availability(&ids).await.map_err(call_error)?;
        let variants = found
            .into_iter()
            .map(|availability| v1::Availability {
                variant_id: bytes(availability.variant),
                available: availability.available,
                backorder: availability.backorder,
                tracked: availability.tracked,
            })
            .collect();
        Ok(v1::GetAvailabilityReply { variants })
    }

    async fn apply_counts(
        &self,
        context: Context,
        request: v1::ApplyCountsRequest,
    ) -> Result<v1::ApplyCountsReply, CallError> {
        at_most(request.counts.len(), MAX_COUNTS, "counts")?;
        // A variant named twice is set once, to what was said last.
        let mut counts = BTreeMap::new();
        for message in &request.counts {
            let count = count(message)?;
            counts.insert(count.variant, count);
        }
        let counts = counts.into_values().collect();
        let applied = self.inventory.apply_counts(&context, counts).await.map_err(call_error)?;
        Ok(v1::ApplyCountsReply { changed: applied.changed, unchanged: applied.unchanged })
    }

    async fn get_counts(
        &self,
        _context: Context,
        request: v1::GetCountsRequest,
    ) -> Result<v1::GetCountsReply, CallError> {
        let ids = variant_ids(&request.variant_ids, MAX_COUNTS)?;
        let found = self.inventory.counts(&ids).await.map_err(call_error)?;
        let counts = found
            .into_iter()
            .map(|count| v1::Count {
                variant_id: bytes(count.variant),
                sku: count.sku.map(Sku::into_string).unwrap_or_default(),
                on_hand: count.imported.on_hand,
                tracked: count.imported.tracked,
                backorder: count.imported.backorder,
            })
            .collect();
        Ok(v1::GetCountsReply { counts })
    }
}

/// Lines of one variant are added up.
fn wanted(lines: &[v1::StockLine]) -> Result<Wanted, CallError> {
    at_most(lines.len(), MAX_LINES, "lines")?;
    if lines.is_empty() {
        return Err(invalid("lines must not be empty"));
    }
    let mut wanted = Wanted::new();
    for line in lines {
        let variant = VariantId::from_uuid(uuid_from(&line.variant_id, "variant_id")?);
        let quantity = Quantity::new(line.quantity)
            .ok_or_else(|| invalid(format!("a quantity is 1 to {}", Quantity::MAX)))?;
        *wanted.entry(variant).or_default() += quantity.get();
    }
    Ok(wanted)
}

/// The lines of an event: what ordering has confirmed is not judged here any more.
pub(super) fn confirmed(lines: impl IntoIterator<Item = (Uuid, u32)>) -> Wanted {
    let mut wanted = Wanted::new();
    for (variant, quantity) in lines {
        let units: &mut u32 = wanted.entry(VariantId::from_uuid(variant)).or_default();
        *units = units.saturating_add(quantity);
    }
    wanted
}

fn count(message: &v1::Count) -> Result<Count, CallError> {
    if !(-MAX_UNITS..=MAX_UNITS).contains(&message.on_hand) {
        return Err(invalid(format!("on_hand must be within ±{MAX_UNITS}")));
    }
    let sku = match message.sku.as_str() {
        "" => None,
        text => Some(text.parse::<Sku>().map_err(|error| invalid(format!("sku: {error}")))?),
    };
    Ok(Count {
        variant: VariantId::from_uuid(uuid_from(&message.variant_id, "variant_id")?),
        sku,
        imported: Imported {
            on_hand: message.on_hand,
            tracked: message.tracked,
            backorder: message.backorder,
        },
    })
}

fn reserve_reply(outcome: Outcome) -> v1::ReserveReply {
    use v1::reserve_reply::Outcome as Told;
    let (told, shortages) = match outcome {
        Outcome::Reserved => (Told::Reserved, Vec::new()),
        Outcome::OutOfStock(shortages) => (Told::OutOfStock, shortages),
        Outcome::Released => (Told::Released, Vec::new()),
    };
    let shortage = |shortage: Shortage| v1::Shortage {
        variant_id: bytes(shortage.variant),
        requested: shortage.requested,
        available: shortage.available,
    };
    v1::ReserveReply {
        outcome: told.into(),
        shortages: shortages.into_iter().map(shortage).collect(),
    }
}

fn variant_ids(ids: &[Vec<u8>], max: usize) -> Result<Vec<VariantId>, CallError> {
    at_most(ids.len(), max, "variant_ids")?;
    ids.iter().map(|id| uuid_from(id, "variant_ids").map(VariantId::from_uuid)).collect()
}

fn at_most(len: usize, max: usize, field: &str) -> Result<(), CallError> {
    if len > max {
        Err(invalid(format!("{field} has {len} elements, at most {max}")))
    } else {
        Ok(())
    }
}

fn invalid(detail: impl Into<String>) -> CallError {
    CallError::new(ErrorKind::Invalid, "invalid-message", detail)
}

fn call_error(error: Error) -> CallError {
    CallError::from_business(&error)
}

fn bytes(id: impl TypedId) -> Vec<u8> {
    id.uuid().as_bytes().to_vec()
}
