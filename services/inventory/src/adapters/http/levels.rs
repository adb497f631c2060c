//! `/v1/admin/inventory/levels`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::{Limit, Sku};
use platform::http::{self, Page, Params, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::LevelView;
use crate::application::Inventory;
use crate::application::list_levels::LevelFilter;
use crate::domain::{LocationId, VariantId};

#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LevelParams {
    #[garde(skip)]
    variant_id: Option<VariantId>,
    #[garde(skip)]
    location_id: Option<LocationId>,
    #[garde(skip)]
    sku: Option<Sku>,
    /// Only stock at or below its threshold, the emptiest first.
    #[garde(skip)]
    low_stock: Option<bool>,
    /// How many elements: 1 to 100, 20 when absent.
    #[garde(inner(range(min = 1, max = 100)))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[garde(inner(length(chars, min = 1, max = 512)))]
    #[param(min_length = 1, max_length = 512)]
    cursor: Option<String>,
}

/// What lies where.
#[utoipa::path(get, path = "/v1/admin/inventory/levels", tag = "inventory",
    operation_id = "list_stock_levels", params(LevelParams),
    responses((status = 200, body = Page<LevelView>)),
    extensions(("x-permission" = json!("inventory:read"))))]
pub(super) async fn list_levels(
    State(inventory): State<Inventory>,
    Params(params): Params<LevelParams>,
) -> Result<Response, Problem> {
    let filter = LevelFilter {
        variant: params.variant_id,
        location: params.location_id,
        sku: params.sku,
        low_only: params.low_stock == Some(true),
    };
    let limit = params.limit.unwrap_or(Limit::DEFAULT.get());
    let found = inventory.list_levels(&filter, limit, params.cursor.as_deref()).await?;
    let items = found.items.iter().map(|row| LevelView::of(row)).collect();
    Ok(http::ok(None, &Page { items, next_cursor: found.next_cursor }))
}
