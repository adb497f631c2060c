//! `POST /v1/payments/notifications/{provider}`

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use platform::http::{Ctx, PathParams, Problem, body_problem, json};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use crate::application::receive_notification::Receipt;
use crate::ports::Delivery;

/// Headers that are looked at, and how long each may be.
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 1024;

#[derive(Serialize, ToSchema)]
pub struct NotificationReceipt {
    /// Whether it made this shop look something up. False for a repeated one, too.
    acting: bool,
}

/// A provider tells something on its own. It must be signed by the provider, and not older than
/// five minutes; the same one may come as often as it likes.
#[utoipa::path(post, path = "/v1/payments/notifications/{provider}", tag = "payments",
    operation_id = "receive_payment_notification",
    params(("provider" = String, Path, min_length = 1, max_length = 32,
        description = "The provider's name.", example = "test")),
    request_body(content = inline(serde_json::Value), content_type = "application/json",
        description = "As the provider documents it."),
    responses((status = 202, description = "Received.", body = NotificationReceipt)),
    extensions(("x-permission" = json!("public")), ("x-auth" = json!("ignore")),
        ("x-body-limit" = json!(65536)), ("x-idempotency" = json!("none"))))]
pub async fn receive_notification(
    State(app): State<App>,
    Ctx(context): Ctx,
    PathParams(provider): PathParams<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| body_problem(&rejection))?.to_vec();
    let delivery = Delivery { headers: readable(&headers), body };
    let receipt = app.receive_notification(&context, &provider, &delivery).await?;
    let acting = receipt == Receipt::Acting;
    Ok(json(StatusCode::ACCEPTED, None, &NotificationReceipt { acting }))
}

fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .take(MAX_HEADERS)
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .filter(|(_, value)| value.len() <= MAX_HEADER_BYTES)
        .collect()
}
