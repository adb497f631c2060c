//! `/v1/admin/shipping-methods`: ways of shipping within a zone; what a price looks like
//! stands in `shipping_prices.rs`.

use std::sync::Arc;

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::LocalizedText;
use platform::http::{
    self, Body, Ctx, IfMatch, Once, Page, PageParams, Params, PathParams, Problem,
};
use platform::idempotency::SavedResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shipping_prices::{PriceBody, PriceView, price_view, read_prices};
use super::{after_id, deleted, keyed, page_of, saved, text};
use crate::application::App;
use crate::application::app::Seen;
use crate::domain::pricing::shipping::ShippingMethod;
use crate::domain::{ShippingMethodId, ShippingZoneId};

type SeenShippingMethod = Seen<ShippingMethodId, ShippingMethod>;

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewShippingMethod)]
pub(super) struct ShippingMethodBody {
    #[garde(skip)]
    zone_id: ShippingZoneId,
    /// What buyers read, by language.
    #[garde(custom(text::names))]
    name: LocalizedText,
    #[garde(skip)]
    #[serde(default = "yes")]
    #[schema(default = true)]
    active: bool,
    /// One for each currency.
    #[garde(length(min = 1, max = 50), dive)]
    #[schema(min_items = 1, max_items = 50)]
    prices: Vec<PriceBody>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ShippingMethod)]
pub(super) struct ShippingMethodView {
    id: ShippingMethodId,
    zone_id: ShippingZoneId,
    name: LocalizedText,
    active: bool,
    prices: Vec<PriceView>,
}

fn yes() -> bool {
    true
}

fn read(body: ShippingMethodBody) -> Result<ShippingMethod, Problem> {
    let ShippingMethodBody { zone_id, name, active, prices } = body;
    Ok(ShippingMethod { zone_id, name, active, prices: read_prices(prices)? })
}

/// All shipping methods, oldest first.
#[utoipa::path(get, path = "/v1/admin/shipping-methods", tag = "settings",
    operation_id = "list_shipping_methods", params(PageParams),
    responses((status = 200, body = Page<ShippingMethodView>)),
    extensions(("x-permission" = json!("settings:read"))))]
pub(super) async fn list_shipping_methods(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let tariff = app.tariff().await?;
    let after = after_id::<ShippingMethodId>(params.cursor.as_deref())?;
    let parts = tariff.shipping_methods.iter().map(|(id, kept)| (*id, &kept.value));
    let (page, next_cursor) = page_of(parts, params.limit(), after);
    let items = page.into_iter().map(|(id, value)| view(id, value)).collect();
    Ok(http::ok(None, &Page { items, next_cursor }))
}

/// A new way of shipping.
#[utoipa::path(post, path = "/v1/admin/shipping-methods", tag = "settings",
    operation_id = "create_shipping_method", request_body = ShippingMethodBody,
    responses((status = 201, body = ShippingMethodView, headers(("etag" = String), ("location" = String)))),
    extensions(("x-permission" = json!("settings:write"))))]
pub(super) async fn create_shipping_method(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(body): Body<ShippingMethodBody>,
) -> Result<Response, Problem> {
    let key = keyed(key, |seen: &SeenShippingMethod| answer(StatusCode::CREATED, seen));
    let seen = app.create_part::<ShippingMethod>(&context, key, read(body)?).await?;
    Ok(http::created(&address(seen.id), Some(seen.version), &view(seen.id, &seen.state)))
}

/// One shipping method.
#[utoipa::path(get, path = "/v1/admin/shipping-methods/{shipping_method_id}", tag = "settings",
    operation_id = "get_shipping_method", params(("shipping_method_id" = ShippingMethodId, Path)),
    responses((status = 200, body = ShippingMethodView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("settings:read"))))]
pub(super) async fn get_shipping_method(
    State(app): State<Arc<App>>,
    PathParams(id): PathParams<ShippingMethodId>,
) -> Result<Response, Problem> {
    let tariff = app.tariff().await?;
    let kept = tariff.shipping_methods.get(&id).ok_or_else(Problem::not_found)?;
    Ok(http::ok(Some(kept.version), &view(id, &kept.value)))
}

/// Replaces a shipping method. Orders that were placed keep theirs.
#[utoipa::path(put, path = "/v1/admin/shipping-methods/{shipping_method_id}", tag = "settings",
    operation_id = "update_shipping_method", request_body = ShippingMethodBody,
    params(("shipping_method_id" = ShippingMethodId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = ShippingMethodView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("settings:write"))))]
pub(super) async fn update_shipping_method(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<ShippingMethodId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
    Body(body): Body<ShippingMethodBody>,
) -> Result<Response, Problem> {
    let key = keyed(key, |seen: &SeenShippingMethod| answer(StatusCode::OK, seen));
    let value = read(body)?;
    let seen = app.replace_part::<ShippingMethod>(&context, key, id, expected, value).await?;
    Ok(http::ok(Some(seen.version), &view(id, &seen.state)))
}

/// Deletes a shipping method. Carts that chose it have to choose again.
#[utoipa::path(delete, path = "/v1/admin/shipping-methods/{shipping_method_id}", tag = "settings",
    operation_id = "delete_shipping_method",
    params(("shipping_method_id" = ShippingMethodId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 204)),
    extensions(("x-permission" = json!("settings:write"))))]
pub(super) async fn delete_shipping_method(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<ShippingMethodId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
) -> Result<Response, Problem> {
    app.remove_part::<ShippingMethod>(&context, deleted(key), id, expected).await?;
    Ok(http::no_content())
}

fn answer(status: StatusCode, seen: &SeenShippingMethod) -> SavedResponse {
    let location = (status == StatusCode::CREATED).then(|| address(seen.id));
    saved(status, Some(seen.version), location, &view(seen.id, &seen.state))
}

fn address(id: ShippingMethodId) -> String {
    format!("/v1/admin/shipping-methods/{id}")
}

fn view(id: ShippingMethodId, method: &ShippingMethod) -> ShippingMethodView {
    ShippingMethodView {
        id,
        zone_id: method.zone_id,
        name: method.name.clone(),
        active: method.active,
        prices: method.prices.iter().map(price_view).collect(),
    }
}
