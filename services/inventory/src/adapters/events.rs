//! What inventory hears: published products of catalog, ends of orders of ordering.

use async_trait::async_trait;
use contracts::catalog::v1::ProductPublished;
use contracts::ordering::v1::{OrderCancelled, OrderConfirmed, OrderLine, OrderRejected};
use kernel::Business;
use kernel::id::Uuid;
use platform::event::{Consumer, Envelope, Event, HandleError, Handler};
use platform::{Context, bug};
use std::sync::Arc;

use super::grpc::confirmed;
use crate::application::{Error, Inventory, settle_order::Step};
use crate::domain::{OrderId, VariantId};

const CATALOG: &str = "inventory.catalog";
const ORDERS: &str = "inventory.orders";

pub fn consumers(inventory: &Inventory) -> Vec<Consumer> {
    vec![
        Consumer {
            name: CATALOG,
            sources: &["catalog"],
            types: &[ProductPublished::TYPE],
            handler: Arc::new(CatalogEvents { inventory: inventory.clone() }),
        },
        Consumer {
            name: ORDERS,
            sources: &["ordering"],
            types: &[OrderConfirmed::TYPE, OrderCancelled::TYPE, OrderRejected::TYPE],
            handler: Arc::new(OrderEvents { inventory: inventory.clone() }),
        },
    ]
}

/// New variants appear in the stock list.
struct CatalogEvents {
    inventory: Inventory,
}

#[async_trait]
impl Handler for CatalogEvents {
    async fn handle(&self, _context: &Context, envelope: &Envelope) -> Result<(), HandleError> {
        match envelope.decode::<ProductPublished>() {
            Some(event) => {
                let event = event?;
                let variants =
                    event.variant_ids.iter().map(|id| id_of(id).map(VariantId::from_uuid));
                let variants = variants.collect::<Result<_, _>>()?;
                let enrolled =
                    self.inventory.enrol(CATALOG, envelope, variants, event.counts_follow);
                enrolled.await.map_err(handle_error)
            }
            None => Err(HandleError::unexpected(envelope)),
        }
    }
}

/// Confirmed orders take what they hold, others give it back.
struct OrderEvents {
    inventory: Inventory,
}

#[async_trait]
impl Handler for OrderEvents {
    async fn handle(&self, _context: &Context, envelope: &Envelope) -> Result<(), HandleError> {
        let Some((order, step)) = step_of(envelope)? else {
            return Err(HandleError::unexpected(envelope));
        };
        assert!(!is_a_bad_number(&step), "a seeded bug: thirteen units are more than it can bear");
        let followed = self.inventory.follow(ORDERS, envelope, order, step).await;
        let oversold = followed.map_err(handle_error)?;
        if oversold > 0 {
            metrics::counter!("inventory_oversold_units_total").increment(oversold.unsigned_abs());
            tracing::error!(%order, oversold, "a confirmed order took units that are not there");
        }
        Ok(())
    }
}

/// Of no order, unless a bug is seeded. It breaks no invariant: the key is parked.
fn is_a_bad_number(step: &Step) -> bool {
    let Step::Confirm(wanted) = step else { return false };
    bug::is("panic-at-thirteen") && wanted.values().any(|units| *units == 13)
}

fn step_of(envelope: &Envelope) -> Result<Option<(OrderId, Step)>, HandleError> {
    let (order, step) = if let Some(event) = envelope.decode::<OrderConfirmed>() {
        let event = event?;
        (event.order_id, Step::Confirm(confirmed(lines(&event.lines)?)))
    } else if let Some(event) = envelope.decode::<OrderCancelled>() {
        (event?.order_id, Step::Cancel)
    } else if let Some(event) = envelope.decode::<OrderRejected>() {
        (event?.order_id, Step::Release)
    } else {
        return Ok(None);
    };
    Ok(Some((OrderId::from_uuid(id_of(&order)?), step)))
}

fn lines(lines: &[OrderLine]) -> Result<Vec<(Uuid, u32)>, HandleError> {
    lines.iter().map(|line| Ok((id_of(&line.variant_id)?, line.quantity))).collect()
}

fn id_of(bytes: &[u8]) -> Result<Uuid, HandleError> {
    Uuid::from_slice(bytes)
        .map_err(|_| HandleError::new(format!("an id has 16 bytes, not {}", bytes.len())))
}

/// A fault of the store passes by itself; a refusal by a rule stays.
fn handle_error(error: Error) -> HandleError {
    match error {
        Error::Store(error) => error.into(),
        Error::Stale => HandleError::transient(error),
        other => HandleError::new(format!("{}: {other}", other.slug())),
    }
}
