//! `GET /v1/admin/payments/{id}/ledger`

use axum::extract::State;
use axum::response::Response;
use platform::http::{PathParams, Problem, ok};

use super::{App, LedgerView};
use crate::domain::PaymentId;

/// How the money of a payment moved, in double entry.
#[utoipa::path(get, path = "/v1/admin/payments/{id}/ledger", tag = "payments",
    operation_id = "get_payment_ledger",
    params(("id" = PaymentId, Path, description = "The payment.")),
    responses((status = 200, description = "Entries and balances.", body = LedgerView)),
    extensions(("x-permission" = json!("payments:read"))))]
pub async fn get_payment_ledger(
    State(app): State<App>,
    PathParams(id): PathParams<PaymentId>,
) -> Result<Response, Problem> {
    Ok(ok(None, &LedgerView::of(id, &app.ledger(id).await?)))
}
