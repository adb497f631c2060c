//! Prices, from the contract of catalog.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::catalog::{CatalogApi, v1};
use kernel::id::Uuid;
use kernel::{Currency, ErrorKind, Locale};
use platform::Context;
use platform::rpc::CallError;

use crate::domain::VariantId;
use crate::domain::quote::{Quotes, VariantQuote};
use crate::ports::{NoAnswer, Prices};

pub struct Catalog {
    api: Arc<dyn CatalogApi>,
}

impl Catalog {
    pub fn new(api: Arc<dyn CatalogApi>) -> Self {
        Self { api }
    }
}

#[async_trait]
impl Prices for Catalog {
    async fn quote(
        &self,
        context: &Context,
        variants: &[VariantId],
        currency: Currency,
        locale: Option<&Locale>,
    ) -> Result<Quotes, NoAnswer> {
        let request = v1::QuoteVariantsRequest {
            variant_ids: variants.iter().map(|id| id.uuid().as_bytes().to_vec()).collect(),
            currency: currency.code().to_owned(),
            locale: locale.map(|locale| locale.as_str().to_owned()).unwrap_or_default(),
        };
        let reply = self.api.quote_variants(context.clone(), request).await;
        let quotes = reply.map_err(|error| no_answer("catalog", &error))?.variants.into_iter();
        let quotes = quotes.map(quote).collect::<Result<Vec<_>, _>>()?;
        Ok(Quotes::new(quotes))
    }
}

/// An answer that breaks the contract is no answer: nothing is sold at a price below zero.
fn quote(quote: v1::VariantQuote) -> Result<VariantQuote, NoAnswer> {
    let broken = |detail: &str| NoAnswer {
        what: "catalog",
        kind: ErrorKind::Internal,
        detail: detail.to_owned(),
    };
    let id = |bytes: &[u8]| Uuid::from_slice(bytes).map_err(|_| broken("an id is not 16 bytes"));
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    if quote.purchasable && quote.price_minor < 0 {
        return Err(broken("a price is negative"));
    }
    Ok(VariantQuote {
        variant_id: id(&quote.variant_id)?.into(),
        product_id: id(&quote.product_id)?.into(),
        sku: filled(quote.sku),
        product_title: quote.product_title,
        variant_title: filled(quote.variant_title),
        purchasable: quote.purchasable,
        price_minor: quote.price_minor,
        weight_grams: quote.weight_grams,
        requires_shipping: quote.requires_shipping,
        tax_class: filled(quote.tax_class).filter(|class| class != "none"),
        image_url: filled(quote.image_url),
    })
}

/// What the callee says of its own inside stays inside; who reads of it may only try again.
pub(super) fn no_answer(what: &'static str, error: &CallError) -> NoAnswer {
    let kind = match error.kind {
        ErrorKind::DeadlineExceeded => ErrorKind::DeadlineExceeded,
        ErrorKind::Unavailable | ErrorKind::TooMany => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    };
    NoAnswer { what, kind, detail: format!("{}: {}", error.slug, error.detail) }
}

/// The callee has understood and will never do it, however often it is asked.
pub(super) fn is_final(error: &CallError) -> bool {
    matches!(error.kind, ErrorKind::Invalid | ErrorKind::Unprocessable | ErrorKind::NotFound)
}
