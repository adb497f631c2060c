//! Events: changes of products on their way out, stock on its way in.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::catalog::v1;
use contracts::inventory::v1::StockChanged;
use platform::Context;
use platform::event::{Consumer, Envelope, Event as _, HandleError, Handler};
use platform::executor::States;
use platform::rpc::uuid_from;

use crate::application::{CONSUMER, Catalog, Error};
use crate::domain::availability::Level;
use crate::domain::events::Event;
use crate::domain::{Product, ProductId, VariantId};

/// Emits an event about a product.
pub fn publish(states: &mut States<'_>, product: ProductId, event: &Event) {
    let id = product.uuid();
    let product_id = id.as_bytes().to_vec();
    match event {
        Event::Published { variants, counts_follow } => {
            let variant_ids = variants.iter().map(bytes).collect();
            let counts_follow = *counts_follow;
            let event = v1::ProductPublished { product_id, variant_ids, counts_follow };
            states.emit::<Product, _>(id, &event);
        }
        Event::Withdrawn { variants, status } => {
            let variant_ids = variants.iter().map(bytes).collect();
            let status = (*status).to_owned();
            let event = v1::ProductWithdrawn { product_id, variant_ids, status };
            states.emit::<Product, _>(id, &event);
        }
        Event::PriceChanged { prices } => {
            let prices = prices.iter().map(|(variant, currency, price_minor)| v1::VariantPrice {
                variant_id: bytes(variant),
                currency: currency.to_string(),
                price_minor: *price_minor,
            });
            let event = v1::PriceChanged { product_id, prices: prices.collect() };
            states.emit::<Product, _>(id, &event);
        }
    }
}

fn bytes(variant: &VariantId) -> Vec<u8> {
    variant.uuid().as_bytes().to_vec()
}

/// Listens to what becomes of stock.
pub fn consumer(catalog: Catalog) -> Consumer {
    let handler = Arc::new(StockLevels { catalog });
    Consumer { name: CONSUMER, sources: &["inventory"], types: &[StockChanged::TYPE], handler }
}

struct StockLevels {
    catalog: Catalog,
}

#[async_trait]
impl Handler for StockLevels {
    async fn handle(&self, _context: &Context, envelope: &Envelope) -> Result<(), HandleError> {
        let outcome = match envelope.decode::<StockChanged>() {
            Some(event) => {
                let event = event?;
                let level = Level {
                    variant: VariantId::from_uuid(
                        uuid_from(&event.variant_id, "variant_id").map_err(HandleError::new)?,
                    ),
                    location: uuid_from(&event.location_id, "location_id")
                        .map_err(HandleError::new)?,
                    on_hand: event.on_hand,
                    reserved: event.reserved,
                    backorder: event.backorder,
                    tracked: event.tracked,
                };
                self.catalog.note_stock(envelope, level).await
            }
            None => return Err(HandleError::unexpected(envelope)),
        };
        outcome.map_err(|error| match error {
            Error::Store(error) => error.into(),
            other => HandleError::new(other),
        })
    }
}
