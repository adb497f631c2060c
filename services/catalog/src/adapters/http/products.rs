//! `GET /v1/products`, `GET /v1/products/{product}`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Currency;
use platform::http::{Locales, Page, Params, PathParams, Problem, ok};
use serde::Deserialize;
use utoipa::IntoParams;

use super::filters::{SortBy, Wanted};
use super::views::{ProductCard, ProductView, Reader};
use super::{App, position};
use crate::application::Card;
use crate::domain::ProductId;

/// Which products, in which order.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListProducts {
    /// The handle of a category: products in it or anywhere below it.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    #[param(min_length = 1, max_length = 255)]
    category: Option<String>,
    /// In any letter case.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    #[param(min_length = 1, max_length = 255)]
    tag: Option<String>,
    /// In any letter case.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    #[param(min_length = 1, max_length = 255)]
    vendor: Option<String>,
    /// The lowest price of the product is at least this, in minor units.
    #[garde(inner(range(min = 0, max = 1_000_000_000_000_000)))]
    #[param(minimum = 0, maximum = 1_000_000_000_000_000i64)]
    min_price: Option<i64>,
    /// The lowest price of the product is at most this, in minor units.
    #[garde(inner(range(min = 0, max = 1_000_000_000_000_000)))]
    #[param(minimum = 0, maximum = 1_000_000_000_000_000i64)]
    max_price: Option<i64>,
    /// Of the bounds and of sorting by price; the shop's own when absent.
    #[garde(skip)]
    #[param(inline)]
    currency: Option<Currency>,
    /// `true`: only what can be sold now.
    #[garde(skip)]
    available: Option<bool>,
    /// `newest` when absent.
    #[garde(skip)]
    #[param(inline)]
    sort: Option<SortBy>,
    /// How many: 1 to 100, 20 when absent.
    #[garde(inner(range(min = 1, max = 100)))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[garde(inner(length(chars, min = 1, max = 2048)))]
    #[param(min_length = 1, max_length = 2048)]
    cursor: Option<String>,
}

/// Published products. All conditions must hold.
#[utoipa::path(get, path = "/v1/products", tag = "products", operation_id = "list_products",
    params(ListProducts),
    responses((status = 200, description = "A page of products.", body = Page<ProductCard>)),
    extensions(("x-permission" = json!("public"))))]
pub async fn list_products(
    State(app): State<App>,
    Locales(wanted): Locales,
    Params(params): Params<ListProducts>,
) -> Result<Response, Problem> {
    let catalog = &app.catalog;
    let currency = params.currency.unwrap_or(catalog.settings.currency);
    let filter = Wanted {
        category: params.category.as_deref(),
        tag: params.tag.as_deref(),
        vendor: params.vendor.as_deref(),
        min_price: params.min_price,
        max_price: params.max_price,
        available: params.available,
        currency,
    };
    let after = position(params.cursor.as_deref())?;
    let limit = params.limit.unwrap_or(20);
    let sort = params.sort.unwrap_or(SortBy::Newest).sort(currency);
    let cards = match filter.filter(catalog).await? {
        Some(filter) => catalog.list_products(&filter, sort, after, limit).await?,
        None => Vec::new(),
    };
    let reader = Reader { wanted: &wanted, own: &catalog.settings.locale };
    Ok(ok(None, &page(&cards, limit, &reader)))
}

/// A page of cards, with a cursor when it is full.
pub fn page(cards: &[Card], limit: u32, reader: &Reader<'_>) -> Page<ProductCard> {
    let last = cards.last().filter(|_| cards.len() >= limit as usize);
    Page {
        items: cards.iter().map(|card| ProductCard::of(card, reader)).collect(),
        next_cursor: last.map(|card| card.position.encode()),
    }
}

/// One published product with its variants, by its handle or its id.
#[utoipa::path(get, path = "/v1/products/{product}", tag = "products",
    operation_id = "get_product",
    params(("product" = String, Path, description = "Handle or id.", min_length = 1,
        max_length = 255)),
    responses((status = 200, description = "The product.", body = ProductView,
        headers(("etag" = String)))),
    extensions(("x-permission" = json!("public"))))]
pub async fn get_product(
    State(app): State<App>,
    Locales(wanted): Locales,
    PathParams(name): PathParams<String>,
) -> Result<Response, Problem> {
    let shown = app.catalog.show_product(&name).await?;
    let categories = app.catalog.categories_of(&shown.product.categories).await?;
    let reader = Reader { wanted: &wanted, own: &app.catalog.settings.locale };
    let id = ProductId::from_uuid(shown.product.id);
    let view = ProductView::of(id, &shown.product.state, &shown.sold_out, &categories, &reader);
    Ok(ok(Some(shown.product.version), &view))
}
