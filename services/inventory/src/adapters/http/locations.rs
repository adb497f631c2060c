//! `/v1/admin/inventory/locations`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::{CountryCode, Timestamp};
use platform::http::{self, Body, Ctx, IfMatch, Once, Page, PathParams, Problem};
use platform::idempotency::{IdempotencyKey, Idempotent, SavedResponse};
use platform::store::Versioned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text::one_line;
use crate::application::Inventory;
use crate::application::manage_locations::LocationInput;
use crate::domain::{Location, LocationId};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LocationBody {
    #[garde(length(chars, min = 1, max = 100), custom(one_line))]
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f]+$",
        example = "Berlin"
    )]
    name: String,
    #[garde(skip)]
    #[serde(default)]
    country: Option<CountryCode>,
    /// Whether it gives stock to new orders. The default location is always active.
    #[garde(skip)]
    #[serde(default = "yes")]
    #[schema(default = true)]
    active: bool,
    /// Lower serves first.
    #[garde(range(min = -1_000_000, max = 1_000_000))]
    #[serde(default)]
    #[schema(minimum = -1_000_000, maximum = 1_000_000, default = 0)]
    priority: i64,
}

fn yes() -> bool {
    true
}

impl From<LocationBody> for LocationInput {
    fn from(body: LocationBody) -> Self {
        let LocationBody { name, country, active, priority } = body;
        Self { name, country, active, priority }
    }
}

#[derive(Serialize, ToSchema)]
pub struct LocationView {
    pub id: LocationId,
    pub name: String,
    pub country: Option<CountryCode>,
    /// Only active locations give stock to new orders.
    pub active: bool,
    /// Lower serves first.
    pub priority: i64,
    /// The one that every shop has.
    pub default: bool,
    pub created_at: Timestamp,
}

impl LocationView {
    pub fn of(location: &Versioned<Location>) -> Self {
        let id = LocationId::from_uuid(location.id);
        Self {
            id,
            name: location.name.clone(),
            country: location.country,
            active: location.active,
            priority: location.priority,
            default: id == LocationId::DEFAULT,
            created_at: location.created_at,
        }
    }
}

/// All locations, in the order in which they serve. There are at most 100, so this is one page.
#[utoipa::path(get, path = "/v1/admin/inventory/locations", tag = "inventory",
    operation_id = "list_locations",
    responses((status = 200, body = Page<LocationView>)),
    extensions(("x-permission" = json!("inventory:read"))))]
pub(super) async fn list_locations(
    State(inventory): State<Inventory>,
) -> Result<Response, Problem> {
    let items = inventory.list_locations().await?.iter().map(LocationView::of).collect();
    Ok(http::ok(None, &Page { items, next_cursor: None }))
}

/// A new location.
#[utoipa::path(post, path = "/v1/admin/inventory/locations", tag = "inventory",
    operation_id = "create_location", request_body = LocationBody,
    responses((status = 201, body = LocationView, headers(("etag" = String), ("location" = String)))),
    extensions(("x-permission" = json!("inventory:write"))))]
pub(super) async fn create_location(
    State(inventory): State<Inventory>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(body): Body<LocationBody>,
) -> Result<Response, Problem> {
    let once = once(key, 201);
    let location = inventory.create_location(&context, once, body.into()).await?;
    Ok(http::created(&address(&location), Some(location.version), &LocationView::of(&location)))
}

/// One location.
#[utoipa::path(get, path = "/v1/admin/inventory/locations/{location_id}", tag = "inventory",
    operation_id = "get_location", params(("location_id" = LocationId, Path)),
    responses((status = 200, body = LocationView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("inventory:read"))))]
pub(super) async fn get_location(
    State(inventory): State<Inventory>,
    PathParams(id): PathParams<LocationId>,
) -> Result<Response, Problem> {
    let location = inventory.location(id).await?;
    Ok(http::ok(Some(location.version), &LocationView::of(&location)))
}

/// Replaces what is said of a location.
#[utoipa::path(put, path = "/v1/admin/inventory/locations/{location_id}", tag = "inventory",
    operation_id = "update_location", request_body = LocationBody,
    params(("location_id" = LocationId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = LocationView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("inventory:write"))))]
pub(super) async fn update_location(
    State(inventory): State<Inventory>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<LocationId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
    Body(body): Body<LocationBody>,
) -> Result<Response, Problem> {
    let once = once(key, 200);
    let location = inventory.update_location(&context, once, id, expected, body.into()).await?;
    Ok(http::ok(Some(location.version), &LocationView::of(&location)))
}

/// Deletes a location where nothing was ever booked.
#[utoipa::path(delete, path = "/v1/admin/inventory/locations/{location_id}", tag = "inventory",
    operation_id = "delete_location",
    params(("location_id" = LocationId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 204)),
    extensions(("x-permission" = json!("inventory:write"))))]
pub(super) async fn delete_location(
    State(inventory): State<Inventory>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<LocationId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
) -> Result<Response, Problem> {
    let once = key.map(|key| Idempotent::render(key, |(): &()| SavedResponse::empty(204)));
    inventory.delete_location(&context, once, id, expected).await?;
    Ok(http::no_content())
}

fn once(key: Option<IdempotencyKey>, status: u16) -> Option<Idempotent<Versioned<Location>>> {
    let render = move |location: &Versioned<Location>| {
        let saved = SavedResponse::json(status, &LocationView::of(location))
            .header("etag", format!("\"{}\"", location.version));
        if status == 201 { saved.header("location", address(location)) } else { saved }
    };
    key.map(|key| Idempotent::render(key, render))
}

fn address(location: &Versioned<Location>) -> String {
    format!("/v1/admin/inventory/locations/{}", LocationId::from_uuid(location.id))
}
