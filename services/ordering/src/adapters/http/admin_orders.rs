//! `/v1/admin/orders`: every order, for staff.

use std::sync::Arc;

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::{Limit, Timestamp};
use platform::http::{self, Body, Ctx, IfMatch, Once, Page, Params, PathParams, Problem};
use platform::idempotency::SavedResponse;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::order_view::{AdminOrderView, OrderStatusView, PaymentStatusView};
use super::orders::{page_view, position};
use super::{keyed, saved, text};
use crate::application::browse_orders::OrderFilter;
use crate::application::cancel_order::Canceller;
use crate::application::{App, SeenOrder};
use crate::domain::{CustomerId, OrderId};

/// All that is given must hold.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OrderParams {
    /// How many elements: 1 to 100, 20 when absent.
    #[garde(inner(range(min = 1, max = 100)))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[garde(inner(length(chars, min = 1, max = 512)))]
    #[param(min_length = 1, max_length = 512)]
    cursor: Option<String>,
    #[garde(skip)]
    #[param(inline)]
    status: Option<OrderStatusView>,
    #[garde(skip)]
    #[param(inline)]
    payment_status: Option<PaymentStatusView>,
    /// The order number.
    #[garde(inner(range(min = 1, max = 1_000_000_000_000_000)))]
    #[param(minimum = 1, maximum = 1_000_000_000_000_000_i64)]
    number: Option<u64>,
    #[garde(skip)]
    customer_id: Option<CustomerId>,
    #[garde(skip)]
    placed_after: Option<Timestamp>,
    #[garde(skip)]
    placed_before: Option<Timestamp>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelOrder {
    /// For staff; the buyer does not see it.
    #[garde(length(chars, min = 1, max = 500), custom(text::some_lines))]
    #[schema(min_length = 1, max_length = 500, example = "The buyer called: wrong size.")]
    reason: String,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteOrder {
    #[garde(length(chars, min = 1, max = 2000), custom(text::some_lines))]
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
}

/// Orders by stored states, newest first.
#[utoipa::path(get, path = "/v1/admin/orders", tag = "admin orders",
    operation_id = "list_all_orders", params(OrderParams),
    responses((status = 200, body = Page<AdminOrderView>)),
    extensions(("x-permission" = json!("orders:read"))))]
pub(super) async fn list_all_orders(
    State(app): State<Arc<App>>,
    Params(params): Params<OrderParams>,
) -> Result<Response, Problem> {
    let after = position(params.cursor.as_deref())?;
    let filter = OrderFilter {
        status: params.status.map(OrderStatusView::name),
        payment_status: params.payment_status.map(PaymentStatusView::status),
        number: params.number,
        customer: params.customer_id,
        placed_after: params.placed_after,
        placed_before: params.placed_before,
    };
    let limit = params.limit.unwrap_or(Limit::DEFAULT.get());
    let page = app.list_orders(filter, limit, after).await?;
    Ok(http::ok(None, &page_view(page, AdminOrderView::of)))
}

/// One order, with its notes.
#[utoipa::path(get, path = "/v1/admin/orders/{order_id}", tag = "admin orders",
    operation_id = "get_any_order", params(("order_id" = OrderId, Path)),
    responses((status = 200, body = AdminOrderView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("orders:read"))))]
pub(super) async fn get_any_order(
    State(app): State<Arc<App>>,
    PathParams(id): PathParams<OrderId>,
) -> Result<Response, Problem> {
    let order = app.read_order(id).await?;
    Ok(http::ok(Some(order.version), &AdminOrderView::of(&order)))
}

/// Cancels a confirmed order: stock returns, money is voided or refunded.
#[utoipa::path(post, path = "/v1/admin/orders/{order_id}/cancel", tag = "admin orders",
    operation_id = "cancel_any_order", request_body = CancelOrder,
    params(("order_id" = OrderId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = AdminOrderView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("orders:cancel"))))]
pub(super) async fn cancel_any_order(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<OrderId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
    Body(body): Body<CancelOrder>,
) -> Result<Response, Problem> {
    let canceller = Canceller::Staff(body.reason);
    let key = keyed(key, |order: &SeenOrder| saved_order(StatusCode::OK, order));
    let order = app.cancel_order(&context, key, id, canceller, expected).await?;
    Ok(http::ok(Some(order.version), &AdminOrderView::of(&order)))
}

/// Adds a remark for other staff.
#[utoipa::path(post, path = "/v1/admin/orders/{order_id}/notes", tag = "admin orders",
    operation_id = "note_order", request_body = NoteOrder,
    params(("order_id" = OrderId, Path)),
    responses((status = 201, body = AdminOrderView,
        headers(("etag" = String), ("location" = String)))),
    extensions(("x-permission" = json!("orders:write"))))]
pub(super) async fn note_order(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<OrderId>,
    Once(key): Once,
    Body(body): Body<NoteOrder>,
) -> Result<Response, Problem> {
    let key = keyed(key, |order: &SeenOrder| {
        saved_order(StatusCode::CREATED, order).header("location", address(order.id))
    });
    let order = app.note_order(&context, key, id, body.text).await?;
    let view = AdminOrderView::of(&order);
    Ok(http::created(&address(order.id), Some(order.version), &view))
}

fn saved_order(status: StatusCode, order: &SeenOrder) -> SavedResponse {
    saved(status, Some(order.version), None, &AdminOrderView::of(order))
}

fn address(id: OrderId) -> String {
    format!("/v1/admin/orders/{id}")
}
