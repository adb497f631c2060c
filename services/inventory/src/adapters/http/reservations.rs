//! `/v1/admin/inventory/reservations`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Limit;
use platform::http::{self, Page, Params, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::{ReservationStatus, ReservationView};
use crate::application::Inventory;
use crate::domain::OrderId;

#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReservationParams {
    #[garde(skip)]
    order_id: Option<OrderId>,
    #[garde(skip)]
    #[param(inline)]
    status: Option<ReservationStatus>,
    /// How many elements: 1 to 100, 20 when absent.
    #[garde(inner(range(min = 1, max = 100)))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[garde(inner(length(chars, min = 1, max = 512)))]
    #[param(min_length = 1, max_length = 512)]
    cursor: Option<String>,
}

/// What orders hold and held, newest first.
#[utoipa::path(get, path = "/v1/admin/inventory/reservations", tag = "inventory",
    operation_id = "list_reservations", params(ReservationParams),
    responses((status = 200, body = Page<ReservationView>)),
    extensions(("x-permission" = json!("inventory:read"))))]
pub(super) async fn list_reservations(
    State(inventory): State<Inventory>,
    Params(params): Params<ReservationParams>,
) -> Result<Response, Problem> {
    let status = params.status.map(ReservationStatus::as_str);
    let limit = params.limit.unwrap_or(Limit::DEFAULT.get());
    let cursor = params.cursor.as_deref();
    let found = inventory
        .list_reservations(params.order_id, status, limit, cursor)
        .await?;
    let items = found.items.iter().map(ReservationView::of).collect();
    Ok(http::ok(
        None,
        &Page {
            items,
            next_cursor: found.next_cursor,
        },
    ))
}
