//! `POST /v1/carts/{cart_id}/complete`: buy.

use std::sync::Arc;

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Money;
use platform::http::{self, Body, Ctx, PathParams, Problem, RequiredOnce};
use platform::idempotency::SavedResponse;
use serde::Deserialize;
use utoipa::ToSchema;

use super::order_view::OrderView;
use super::saved;
use super::secret::CartSecret;
use crate::application::app::access;
use crate::application::complete_cart::{Completed, Completion};
use crate::application::{App, SeenOrder};
use crate::domain::payment::PaymentToken;
use crate::domain::{CartId, OrderId};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompleteCart {
    /// The total that the buyer was shown. When it is another one by now, nothing is bought.
    #[garde(custom(within_limit))]
    expected_total: Money,
    /// The payment provider's token. Needed unless the total is zero.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 255, pattern = "^[!-~]+$", example = "tok_approved")]
    payment_token: Option<String>,
}

/// As the document says of every amount.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that garde calls")]
fn within_limit(money: &Money, _context: &()) -> garde::Result {
    if money.amount_minor().unsigned_abs() > Money::LIMIT.unsigned_abs() {
        return Err(garde::Error::new("must be at most 10^15 minor units"));
    }
    Ok(())
}

/// Buys what is in the cart, and waits for the end of it.
///
/// 201: the order, `confirmed` or `rejected` with a reason. 202: it takes longer; ask the order's
/// address. A cart makes one order, whoever completes it how often; after a rejection it is open
/// again and can be completed anew, with another key.
#[utoipa::path(post, path = "/v1/carts/{cart_id}/complete", tag = "carts",
    operation_id = "complete_cart", request_body = CompleteCart,
    params(("cart_id" = CartId, Path), ("Cart-Secret" = Option<String>, Header,
        description = "The secret of a guest's cart.")),
    responses((status = 201, body = OrderView, headers(("location" = String))),
        (status = 202, body = OrderView, headers(("location" = String)))),
    extensions(("x-permission" = json!("public")), ("x-idempotency" = json!("required")),
        ("x-deadline-ms" = json!(15_000))))]
pub(super) async fn complete_cart(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    CartSecret(secret): CartSecret,
    PathParams(id): PathParams<CartId>,
    RequiredOnce(key): RequiredOnce,
    Body(body): Body<CompleteCart>,
) -> Result<Response, Problem> {
    let payment_token = body.payment_token.as_deref().map(PaymentToken::parse).transpose()?;
    let completion = Completion { expected_total: body.expected_total, payment_token };
    let access = access(&context, secret);
    Ok(match app.complete_cart(&context, key, &access, id, completion).await? {
        Completed::Ended(order) => http::created(&address(order.id), None, &OrderView::of(&order)),
        Completed::Running(order) => http::accepted(&address(order.id), &OrderView::of(&order)),
    })
}

/// The answer that the end of a checkout stores for the request that began it.
pub fn render_completed(order: &SeenOrder) -> SavedResponse {
    saved(StatusCode::CREATED, None, Some(address(order.id)), &OrderView::of(order))
}

fn address(id: OrderId) -> String {
    format!("/v1/orders/{id}")
}
