//! `POST /v1/admin/payments/{id}/void`

use axum::extract::State;
use axum::response::Response;
use platform::http::{Ctx, Once, PathParams, Problem, accepted, ok};

use super::{App, PaymentView, answer, location};
use crate::domain::{OperationId, PaymentId};

/// Gives back what is authorized and not captured. Idempotent with and without a key; only what the
/// provider refused is asked for anew.
#[utoipa::path(post, path = "/v1/admin/payments/{id}/void", tag = "payments",
    operation_id = "void_payment", params(("id" = PaymentId, Path, description = "The payment.")),
    responses(
        (status = 200, description = "The provider did it, or refused; see \
            `void_failure_code`.", body = PaymentView),
        (status = 202, description = "The provider's answer is not known yet.",
            body = PaymentView, headers(("location" = String)))),
    extensions(("x-permission" = json!("payments:refund"))))]
pub async fn void_payment(
    State(app): State<App>,
    Ctx(context): Ctx,
    Once(key): Once,
    PathParams(id): PathParams<PaymentId>,
) -> Result<Response, Problem> {
    let payment = app.void(&context, key, id, |payment| answer(payment, OperationId::Void)).await?;
    let view = PaymentView::of(&payment);
    Ok(if view.void_pending { accepted(&location(&payment), &view) } else { ok(None, &view) })
}
