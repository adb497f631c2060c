//! `/v1/admin/shipping-zones`: parts of the world with their own ways of shipping.

use std::sync::Arc;

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::CountryCode;
use platform::http::{
    self, Body, Ctx, IfMatch, Once, Page, PageParams, Params, PathParams, Problem,
};
use platform::idempotency::SavedResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{after_id, deleted, keyed, page_of, saved, text};
use crate::application::App;
use crate::application::app::Seen;
use crate::domain::ShippingZoneId;
use crate::domain::pricing::shipping::ShippingZone;

type SeenShippingZone = Seen<ShippingZoneId, ShippingZone>;

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewShippingZone)]
pub(super) struct ShippingZoneBody {
    #[garde(length(chars, min = 1, max = 100), custom(text::one_line))]
    #[schema(min_length = 1, max_length = 100, example = "European Union")]
    name: String,
    /// Empty: every country that no other zone names.
    #[garde(length(max = 249))]
    #[serde(default)]
    #[schema(max_items = 249)]
    countries: Vec<CountryCode>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ShippingZone)]
pub(super) struct ShippingZoneView {
    id: ShippingZoneId,
    name: String,
    /// Empty: every country that no other zone names.
    countries: Vec<CountryCode>,
}

impl From<ShippingZoneBody> for ShippingZone {
    fn from(body: ShippingZoneBody) -> Self {
        let mut countries = body.countries;
        countries.sort_unstable();
        countries.dedup();
        Self { name: body.name, countries }
    }
}

/// All shipping zones, oldest first.
#[utoipa::path(get, path = "/v1/admin/shipping-zones", tag = "settings",
    operation_id = "list_shipping_zones", params(PageParams),
    responses((status = 200, body = Page<ShippingZoneView>)),
    extensions(("x-permission" = json!("settings:read"))))]
pub(super) async fn list_shipping_zones(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let tariff = app.tariff().await?;
    let after = after_id::<ShippingZoneId>(params.cursor.as_deref())?;
    let parts = tariff.shipping_zones.iter().map(|(id, kept)| (*id, &kept.value));
    let (page, next_cursor) = page_of(parts, params.limit(), after);
    let items = page.into_iter().map(|(id, value)| view(id, value)).collect();
    Ok(http::ok(None, &Page { items, next_cursor }))
}

/// A new zone.
#[utoipa::path(post, path = "/v1/admin/shipping-zones", tag = "settings",
    operation_id = "create_shipping_zone", request_body = ShippingZoneBody,
    responses((status = 201, body = ShippingZoneView, headers(("etag" = String), ("location" = String)))),
    extensions(("x-permission" = json!("settings:write"))))]
pub(super) async fn create_shipping_zone(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(body): Body<ShippingZoneBody>,
) -> Result<Response, Problem> {
    let key = keyed(key, |seen: &SeenShippingZone| answer(StatusCode::CREATED, seen));
    let seen = app.create_part::<ShippingZone>(&context, key, body.into()).await?;
    Ok(http::created(&address(seen.id), Some(seen.version), &view(seen.id, &seen.state)))
}

/// One zone.
#[utoipa::path(get, path = "/v1/admin/shipping-zones/{shipping_zone_id}", tag = "settings",
    operation_id = "get_shipping_zone", params(("shipping_zone_id" = ShippingZoneId, Path)),
    responses((status = 200, body = ShippingZoneView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("settings:read"))))]
pub(super) async fn get_shipping_zone(
    State(app): State<Arc<App>>,
    PathParams(id): PathParams<ShippingZoneId>,
) -> Result<Response, Problem> {
    let tariff = app.tariff().await?;
    let kept = tariff.shipping_zones.get(&id).ok_or_else(Problem::not_found)?;
    Ok(http::ok(Some(kept.version), &view(id, &kept.value)))
}

/// Replaces a zone.
#[utoipa::path(put, path = "/v1/admin/shipping-zones/{shipping_zone_id}", tag = "settings",
    operation_id = "update_shipping_zone", request_body = ShippingZoneBody,
    params(("shipping_zone_id" = ShippingZoneId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = ShippingZoneView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("settings:write"))))]
pub(super) async fn update_shipping_zone(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<ShippingZoneId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
    Body(body): Body<ShippingZoneBody>,
) -> Result<Response, Problem> {
    let key = keyed(key, |seen: &SeenShippingZone| answer(StatusCode::OK, seen));
    let value = body.into();
    let seen = app.replace_part::<ShippingZone>(&context, key, id, expected, value).await?;
    Ok(http::ok(Some(seen.version), &view(id, &seen.state)))
}

/// Deletes a zone that has no shipping methods.
#[utoipa::path(delete, path = "/v1/admin/shipping-zones/{shipping_zone_id}", tag = "settings",
    operation_id = "delete_shipping_zone",
    params(("shipping_zone_id" = ShippingZoneId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 204)),
    extensions(("x-permission" = json!("settings:write"))))]
pub(super) async fn delete_shipping_zone(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<ShippingZoneId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
) -> Result<Response, Problem> {
    app.remove_part::<ShippingZone>(&context, deleted(key), id, expected).await?;
    Ok(http::no_content())
}

fn answer(status: StatusCode, seen: &SeenShippingZone) -> SavedResponse {
    let location = (status == StatusCode::CREATED).then(|| address(seen.id));
    saved(status, Some(seen.version), location, &view(seen.id, &seen.state))
}

fn address(id: ShippingZoneId) -> String {
    format!("/v1/admin/shipping-zones/{id}")
}

fn view(id: ShippingZoneId, zone: &ShippingZone) -> ShippingZoneView {
    ShippingZoneView { id, name: zone.name.clone(), countries: zone.countries.clone() }
}
