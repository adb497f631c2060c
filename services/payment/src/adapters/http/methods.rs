//! `GET /v1/payments/methods`

use axum::extract::State;
use axum::response::Response;
use platform::http::ok;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;

/// The ways to pay that a shop front can offer.
#[derive(Serialize, ToSchema)]
pub struct PaymentMethods {
    /// The provider that takes the money.
    provider: String,
    items: Vec<PaymentMethodView>,
}

#[derive(Serialize, ToSchema)]
pub struct PaymentMethodView {
    /// For test methods: what to send as `payment_token`.
    #[schema(example = "tok_approved")]
    token: String,
    description: String,
    /// No real money moves.
    test: bool,
}

/// The ways to pay, and the test provider's tokens when it is on.
#[utoipa::path(get, path = "/v1/payments/methods", tag = "payments",
    operation_id = "list_payment_methods",
    responses((status = 200, description = "The ways to pay.", body = PaymentMethods)),
    extensions(("x-permission" = json!("public"))))]
pub async fn list_payment_methods(State(app): State<App>) -> Response {
    let provider = app.provider();
    let items = provider.methods().into_iter().map(|method| PaymentMethodView {
        token: method.token,
        description: method.description,
        test: method.test,
    });
    ok(None, &PaymentMethods { provider: provider.name().to_owned(), items: items.collect() })
}
