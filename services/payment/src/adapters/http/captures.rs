//! `POST /v1/admin/payments/{id}/captures`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::{Currency, Money};
use platform::http::{Body, Ctx, PathParams, Problem, RequiredOnce, accepted, created};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{App, CaptureView, location};
use crate::domain::PaymentId;

/// An amount over zero.
#[derive(Clone, Copy, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PositiveMoney {
    /// Minor units: cents for EUR, yen for JPY.
    #[garde(range(min = 1, max = Money::LIMIT))]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_000_i64)]
    pub amount: i64,
    #[garde(skip)]
    pub currency: Currency,
}

impl From<PositiveMoney> for Money {
    fn from(money: PositiveMoney) -> Self {
        Self::new(money.amount, money.currency)
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CapturePayment {
    /// All that is left when absent.
    #[garde(dive)]
    amount: Option<PositiveMoney>,
}

/// Takes what was authorized, all of it or a part. A capture may be made several times until the
/// authorization is used up.
#[utoipa::path(post, path = "/v1/admin/payments/{id}/captures", tag = "payments",
    operation_id = "capture_payment", params(("id" = PaymentId, Path, description = "The payment.")),
    request_body = CapturePayment,
    responses(
        (status = 201, description = "The provider did it, or refused; see `status`.",
            body = CaptureView, headers(("location" = String))),
        (status = 202, description = "The provider's answer is not known yet.",
            body = CaptureView, headers(("location" = String)))),
    extensions(("x-permission" = json!("payments:capture")), ("x-idempotency" = json!("required"))))]
pub async fn capture_payment(
    State(app): State<App>,
    Ctx(context): Ctx,
    RequiredOnce(key): RequiredOnce,
    PathParams(id): PathParams<PaymentId>,
    Body(input): Body<CapturePayment>,
) -> Result<Response, Problem> {
    let amount = input.amount.map(Money::from);
    let (payment, capture) = app.capture(&context, key, id, amount).await?;
    let location = location(&payment);
    Ok(match CaptureView::of(&payment, capture) {
        Some(view) if view.is_pending() => accepted(&location, &view),
        Some(view) => created(&location, None, &view),
        None => platform::http::no_content(),
    })
}
