//! `/v1/carts/{cart_id}/lines`: a line is named by its variant.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Quantity;
use platform::http::{Body, Ctx, IfMatch, Once, PathParams, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::cart_view::CartView;
use super::carts::{NewLine, saved_cart, shown};
use super::keyed;
use super::secret::CartSecret;
use crate::application::App;
use crate::application::app::access;
use crate::application::change_cart::CartChange;
use crate::domain::{CartId, VariantId};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetCartLine)]
pub(super) struct SetLine {
    #[garde(skip)]
    quantity: Quantity,
}

/// Puts so many more of a variant into the cart.
#[utoipa::path(post, path = "/v1/carts/{cart_id}/lines", tag = "carts",
    operation_id = "add_cart_line", request_body = NewLine,
    params(("cart_id" = CartId, Path), ("Cart-Secret" = Option<String>, Header,
        description = "The secret of a guest's cart."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = CartView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("public"))))]
pub(super) async fn add_line(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    CartSecret(secret): CartSecret,
    PathParams(id): PathParams<CartId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
    Body(line): Body<NewLine>,
) -> Result<Response, Problem> {
    let change = CartChange::AddLine(line.variant_id, line.quantity);
    let access = access(&context, secret);
    let key = keyed(key, saved_cart);
    shown(app.change_cart(&context, key, &access, id, expected, change).await)
}

/// Makes the cart hold exactly so many of a variant.
#[utoipa::path(put, path = "/v1/carts/{cart_id}/lines/{variant_id}", tag = "carts",
    operation_id = "set_cart_line", request_body = SetLine,
    params(("cart_id" = CartId, Path), ("variant_id" = VariantId, Path),
        ("Cart-Secret" = Option<String>, Header, description = "The secret of a guest's cart."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = CartView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("public"))))]
pub(super) async fn set_line(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    CartSecret(secret): CartSecret,
    PathParams((id, variant)): PathParams<(CartId, VariantId)>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
    Body(line): Body<SetLine>,
) -> Result<Response, Problem> {
    let change = CartChange::SetLine(variant, line.quantity);
    let access = access(&context, secret);
    let key = keyed(key, saved_cart);
    shown(app.change_cart(&context, key, &access, id, expected, change).await)
}

/// Takes a variant out of the cart.
#[utoipa::path(delete, path = "/v1/carts/{cart_id}/lines/{variant_id}", tag = "carts",
    operation_id = "remove_cart_line",
    params(("cart_id" = CartId, Path), ("variant_id" = VariantId, Path),
        ("Cart-Secret" = Option<String>, Header, description = "The secret of a guest's cart."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = CartView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("public"))))]
pub(super) async fn remove_line(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    CartSecret(secret): CartSecret,
    PathParams((id, variant)): PathParams<(CartId, VariantId)>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
) -> Result<Response, Problem> {
    let access = access(&context, secret);
    let (key, change) = (keyed(key, saved_cart), CartChange::RemoveLine(variant));
    shown(app.change_cart(&context, key, &access, id, expected, change).await)
}
