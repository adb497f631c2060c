//! `/v1/orders`: what a buyer has bought.

use std::sync::Arc;

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use platform::http::{self, Ctx, Once, Page, PageParams, Params, PathParams, Problem};
use platform::store::Position;

use super::order_view::OrderView;
use super::secret::CartSecret;
use super::{keyed, saved};
use crate::application::app::access;
use crate::application::browse_orders::OrderPage;
use crate::application::cancel_order::Canceller;
use crate::application::{App, SeenOrder};
use crate::domain::OrderId;

/// The signed-in customer's orders, newest first.
#[utoipa::path(get, path = "/v1/orders", tag = "orders", operation_id = "list_orders",
    params(PageParams), responses((status = 200, body = Page<OrderView>)),
    extensions(("x-permission" = json!("customer"))))]
pub(super) async fn list_orders(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let after = position(params.cursor.as_deref())?;
    let page = app.my_orders(&context, params.limit(), after).await?;
    Ok(http::ok(None, &page_view(page, OrderView::of)))
}

/// One order: for its customer, or for a guest with the secret of its cart.
#[utoipa::path(get, path = "/v1/orders/{order_id}", tag = "orders", operation_id = "get_order",
    params(("order_id" = OrderId, Path), ("Cart-Secret" = Option<String>, Header,
        description = "The secret of the guest's cart that became the order.")),
    responses((status = 200, body = OrderView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("public"))))]
pub(super) async fn get_order(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    CartSecret(secret): CartSecret,
    PathParams(id): PathParams<OrderId>,
) -> Result<Response, Problem> {
    let order = app.get_order(&access(&context, secret), id).await?;
    Ok(http::ok(Some(order.version), &OrderView::of(&order)))
}

/// Cancels a confirmed order, as long as the shop has not taken the money.
#[utoipa::path(post, path = "/v1/orders/{order_id}/cancel", tag = "orders",
    operation_id = "cancel_order",
    params(("order_id" = OrderId, Path), ("Cart-Secret" = Option<String>, Header,
        description = "The secret of the guest's cart that became the order.")),
    responses((status = 200, body = OrderView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("public"))))]
pub(super) async fn cancel_order(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    CartSecret(secret): CartSecret,
    PathParams(id): PathParams<OrderId>,
    Once(key): Once,
) -> Result<Response, Problem> {
    let canceller = Canceller::Buyer(access(&context, secret));
    let key = keyed(key, |order: &SeenOrder| {
        saved(StatusCode::OK, Some(order.version), None, &OrderView::of(order))
    });
    let order = app.cancel_order(&context, key, id, canceller, None).await?;
    Ok(http::ok(Some(order.version), &OrderView::of(&order)))
}

/// Where a list goes on.
pub(super) fn position(cursor: Option<&str>) -> Result<Option<Position>, Problem> {
    let position = |cursor: &str| {
        Position::decode(cursor)
            .ok_or_else(|| Problem::invalid_field("cursor", "is not a next_cursor of this list"))
    };
    cursor.map(position).transpose()
}

pub(super) fn page_view<V>(page: OrderPage, view: fn(&SeenOrder) -> V) -> Page<V> {
    Page {
        items: page.orders.iter().map(view).collect(),
        next_cursor: page.next.map(|position| position.encode()),
    }
}
