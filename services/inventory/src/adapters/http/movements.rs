//! `/v1/admin/inventory/movements`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Limit;
use platform::http::{self, Page, Params, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::MovementView;
use crate::application::Inventory;
use crate::domain::{LocationId, VariantId};

#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MovementParams {
    #[garde(skip)]
    variant_id: Option<VariantId>,
    #[garde(skip)]
    location_id: Option<LocationId>,
    /// How many elements: 1 to 100, 20 when absent.
    #[garde(inner(range(min = 1, max = 100)))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[garde(inner(length(chars, min = 1, max = 512)))]
    #[param(min_length = 1, max_length = 512)]
    cursor: Option<String>,
}

/// The ledger, newest first. The deltas of a variant at a location add up to its units on hand.
#[utoipa::path(get, path = "/v1/admin/inventory/movements", tag = "inventory",
    operation_id = "list_stock_movements", params(MovementParams),
    responses((status = 200, body = Page<MovementView>)),
    extensions(("x-permission" = json!("inventory:read"))))]
pub(super) async fn list_movements(
    State(inventory): State<Inventory>,
    Params(params): Params<MovementParams>,
) -> Result<Response, Problem> {
    let MovementParams { variant_id, location_id, limit, cursor } = params;
    let limit = limit.unwrap_or(Limit::DEFAULT.get());
    let found = inventory.list_movements(variant_id, location_id, limit, cursor.as_deref()).await?;
    let items = found.items.iter().map(|row| MovementView::of(row.id.into(), row)).collect();
    Ok(http::ok(None, &Page { items, next_cursor: found.next_cursor }))
}
