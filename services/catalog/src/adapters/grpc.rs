//! The service's API for other services.

use async_trait::async_trait;
use contracts::catalog::{CatalogApi, v1};
use kernel::{Currency, ErrorKind, Locale};
use platform::Context;
use platform::rpc::{CallError, uuid_from};

use crate::application::Catalog;
use crate::domain::VariantId;
use crate::domain::offer::Offered;

/// Serves [`CatalogApi`] from the use cases.
pub struct Api {
    pub catalog: Catalog,
}

#[async_trait]
impl CatalogApi for Api {
    async fn quote_variants(
        &self,
        _context: Context,
        request: v1::QuoteVariantsRequest,
    ) -> Result<v1::QuoteVariantsReply, CallError> {
        let currency: Currency =
            request.currency.parse().map_err(|error| invalid("currency", error))?;
        let locale: Option<Locale> = match request.locale.as_str() {
            "" => None,
            tag => Some(tag.parse().map_err(|error| invalid("locale", error))?),
        };
        let mut variants = Vec::with_capacity(request.variant_ids.len());
        for id in &request.variant_ids {
            variants.push(VariantId::from_uuid(uuid_from(id, "variant_ids")?));
        }
        let offers = self
            .catalog
            .quote_variants(&variants)
            .await
            .map_err(|error| CallError::from_business(&error))?;
        let wanted: Vec<Locale> = locale.into_iter().collect();
        let fallback = &self.catalog.settings.locale;
        let quotes = offers.into_iter().map(|offered| quote(&offered, currency, &wanted, fallback));
        Ok(v1::QuoteVariantsReply { variants: quotes.collect() })
    }
}

fn quote(
    offered: &Offered,
    currency: Currency,
    wanted: &[Locale],
    fallback: &Locale,
) -> v1::VariantQuote {
    let Offered { variant, product, offer } = offered;
    let price = offer.price(currency);
    v1::VariantQuote {
        variant_id: variant.uuid().as_bytes().to_vec(),
        product_id: product.uuid().as_bytes().to_vec(),
        product_title: offer.title(wanted, fallback).to_owned(),
        purchasable: price.is_some(),
        price_minor: price.unwrap_or(0),
        sku: offer.sku.clone(),
        variant_title: offer.variant_title.clone(),
        weight_grams: i64::from(offer.weight_grams),
        requires_shipping: offer.requires_shipping,
        tax_class: offer.tax_class.clone(),
        image_url: offer.image_url.clone(),
    }
}

fn invalid(field: &str, error: impl std::fmt::Display) -> CallError {
    CallError::new(ErrorKind::Invalid, "invalid-message", format!("{field}: {error}"))
}
