//! `GET /v1/admin/payments`, `GET /v1/admin/payments/{id}`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use platform::http::{Page, Params, PathParams, Problem, ok};
use platform::store::Position;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{App, PaymentView};
use crate::application::list_payments::Filter;
use crate::domain::{OrderId, PaymentId, Status};

/// Which payments.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListPayments {
    /// Only those in this state.
    #[garde(skip)]
    #[param(inline)]
    status: Option<Status>,
    /// Only that of this order; there is at most one.
    #[garde(skip)]
    #[param(inline)]
    order_id: Option<OrderId>,
    /// `true`: only those that somebody should look at, because the provider refuses to give back
    /// what a cancelled order holds.
    #[garde(skip)]
    #[param(inline)]
    needs_attention: Option<bool>,
    /// How many: 1 to 100, 20 when absent.
    #[garde(inner(range(min = 1, max = 100)))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[garde(inner(length(chars, min = 1, max = 512)))]
    #[param(min_length = 1, max_length = 512)]
    cursor: Option<String>,
}

/// Payments, newest first.
#[utoipa::path(get, path = "/v1/admin/payments", tag = "payments", operation_id = "list_payments",
    params(ListPayments),
    responses((status = 200, description = "A page of payments.", body = Page<PaymentView>)),
    extensions(("x-permission" = json!("payments:read"))))]
pub async fn list_payments(
    State(app): State<App>,
    Params(params): Params<ListPayments>,
) -> Result<Response, Problem> {
    let after = match &params.cursor {
        None => None,
        Some(cursor) => Some(Position::decode(cursor).ok_or_else(|| {
            Problem::invalid_field("cursor", "is not a next_cursor of this list")
        })?),
    };
    let filter = Filter {
        status: params.status,
        order_id: params.order_id,
        needs_attention: params.needs_attention.unwrap_or(false),
    };
    let (payments, next) = app.list(filter, params.limit.unwrap_or(20), after).await?;
    let items = payments.iter().map(PaymentView::of).collect();
    Ok(ok(None, &Page { items, next_cursor: next.map(|position| position.encode()) }))
}

/// One payment with its captures, refunds and history.
#[utoipa::path(get, path = "/v1/admin/payments/{id}", tag = "payments",
    operation_id = "get_payment", params(("id" = PaymentId, Path, description = "The payment.")),
    responses((status = 200, description = "The payment.", body = PaymentView)),
    extensions(("x-permission" = json!("payments:read"))))]
pub async fn get_payment(
    State(app): State<App>,
    PathParams(id): PathParams<PaymentId>,
) -> Result<Response, Problem> {
    Ok(ok(None, &PaymentView::of(&app.get(id).await?)))
}
