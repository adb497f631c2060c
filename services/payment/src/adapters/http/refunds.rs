//! `POST /v1/admin/payments/{id}/refunds`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Money;
use platform::http::{Body, Ctx, PathParams, Problem, RequiredOnce, accepted, created};
use serde::Deserialize;
use utoipa::ToSchema;

use super::captures::PositiveMoney;
use super::{App, RefundView, location};
use crate::domain::PaymentId;

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundPayment {
    /// All that is left of what was captured when absent.
    #[garde(dive)]
    amount: Option<PositiveMoney>,
    /// For the books: why the money goes back.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, example = "returned")]
    reason: String,
}

/// Gives back what was captured, all of it or a part.
#[utoipa::path(post, path = "/v1/admin/payments/{id}/refunds", tag = "payments",
    operation_id = "refund_payment", params(("id" = PaymentId, Path, description = "The payment.")),
    request_body = RefundPayment,
    responses(
        (status = 201, description = "The provider did it, or refused; see `status`.",
            body = RefundView, headers(("location" = String))),
        (status = 202, description = "The provider's answer is not known yet.",
            body = RefundView, headers(("location" = String)))),
    extensions(("x-permission" = json!("payments:refund")), ("x-idempotency" = json!("required"))))]
pub async fn refund_payment(
    State(app): State<App>,
    Ctx(context): Ctx,
    RequiredOnce(key): RequiredOnce,
    PathParams(id): PathParams<PaymentId>,
    Body(input): Body<RefundPayment>,
) -> Result<Response, Problem> {
    let amount = input.amount.map(Money::from);
    let (payment, refund) = app.refund(&context, key, id, amount, input.reason).await?;
    let location = location(&payment);
    Ok(match RefundView::of(&payment, refund) {
        Some(view) if view.is_pending() => accepted(&location, &view),
        Some(view) => created(&location, None, &view),
        None => platform::http::no_content(),
    })
}
