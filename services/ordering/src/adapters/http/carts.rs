//! `/v1/carts`: open, read, change and throw away.

use std::sync::Arc;

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::{Address, Currency, Email, Quantity};
use platform::http::{self, Body, Ctx, IfMatch, Once, PathParams, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::cart_view::CartView;
use super::secret::{self, CartSecret};
use super::{deleted, keyed, saved};
use crate::application::app::access;
use crate::application::change_cart::CartChange;
use crate::application::create_cart::NewCart;
use crate::application::{App, SeenCart};
use crate::domain::cart::{Change, Details};
use crate::domain::{CartId, ShippingMethodId, VariantId};

/// Everything that a checkout needs may be said at once.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateCart {
    #[garde(skip)]
    currency: Currency,
    #[garde(length(max = 100), dive)]
    #[serde(default)]
    #[schema(max_items = 100)]
    lines: Vec<NewLine>,
    #[garde(skip)]
    #[serde(default)]
    email: Option<Email>,
    #[garde(skip)]
    #[serde(default)]
    shipping_address: Option<Address>,
    /// None: the shipping address.
    #[garde(skip)]
    #[serde(default)]
    billing_address: Option<Address>,
    #[garde(skip)]
    #[serde(default)]
    shipping_method_id: Option<ShippingMethodId>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCartLine)]
pub(super) struct NewLine {
    #[garde(skip)]
    pub variant_id: VariantId,
    #[garde(skip)]
    pub quantity: Quantity,
}

/// What is absent stays as it is; null clears.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeCart {
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<Email>)]
    email: Change<Email>,
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<Address>)]
    shipping_address: Change<Address>,
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<Address>)]
    billing_address: Change<Address>,
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<ShippingMethodId>)]
    shipping_method_id: Change<ShippingMethodId>,
}

/// Opens a cart. A guest gets its secret in the answer, once; a signed-in customer needs none.
///
/// A guest's idempotency key has no effect here: an answer with a secret in it is not kept.
#[utoipa::path(post, path = "/v1/carts", tag = "carts", operation_id = "create_cart",
    request_body = CreateCart,
    responses((status = 201, body = CartView, headers(("etag" = String), ("location" = String)))),
    extensions(("x-permission" = json!("public"))))]
pub(super) async fn create_cart(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(body): Body<CreateCart>,
) -> Result<Response, Problem> {
    // A guest's answer holds the cart's secret, and all guests share one key space: no answer of
    // theirs is kept. A cart that was opened twice and used once expires.
    let key = key.filter(|_| context.principal.account().is_some());
    let (secret, secret_hash) = secret::fresh(app.env());
    let new = NewCart {
        secret_hash,
        currency: body.currency,
        lines: body.lines.into_iter().map(|line| (line.variant_id, line.quantity)).collect(),
        details: Details {
            email: body.email.into(),
            shipping_address: body.shipping_address.into(),
            billing_address: body.billing_address.into(),
            shipping_method_id: body.shipping_method_id.into(),
        },
    };
    let shown = secret.clone();
    let key = keyed(key, move |seen: &SeenCart| {
        let view = CartView::with_secret(seen, &shown);
        saved(StatusCode::CREATED, Some(seen.version), Some(address(seen.id)), &view)
    });
    let seen = app.create_cart(&context, key, new).await?;
    let view = CartView::with_secret(&seen, &secret);
    Ok(http::created(&address(seen.id), Some(seen.version), &view))
}

/// One cart, with today's prices.
#[utoipa::path(get, path = "/v1/carts/{cart_id}", tag = "carts", operation_id = "get_cart",
    params(("cart_id" = CartId, Path), ("Cart-Secret" = Option<String>, Header,
        description = "The secret of a guest's cart.")),
    responses((status = 200, body = CartView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("public"))))]
pub(super) async fn get_cart(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    CartSecret(secret): CartSecret,
    PathParams(id): PathParams<CartId>,
) -> Result<Response, Problem> {
    shown(app.get_cart(&context, &access(&context, secret), id).await)
}

/// The open cart of the signed-in customer; 404 when there is none.
#[utoipa::path(get, path = "/v1/me/cart", tag = "carts", operation_id = "get_my_cart",
    responses((status = 200, body = CartView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("customer"))))]
pub(super) async fn get_my_cart(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
) -> Result<Response, Problem> {
    shown(app.my_cart(&context).await)
}

/// Changes e-mail, addresses or way of shipping.
#[utoipa::path(patch, path = "/v1/carts/{cart_id}", tag = "carts", operation_id = "change_cart",
    request_body = ChangeCart,
    params(("cart_id" = CartId, Path), ("Cart-Secret" = Option<String>, Header,
        description = "The secret of a guest's cart."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = CartView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("public"))))]
pub(super) async fn change_cart(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    CartSecret(secret): CartSecret,
    PathParams(id): PathParams<CartId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
    Body(body): Body<ChangeCart>,
) -> Result<Response, Problem> {
    let change = CartChange::Details(Box::new(Details {
        email: body.email,
        shipping_address: body.shipping_address,
        billing_address: body.billing_address,
        shipping_method_id: body.shipping_method_id,
    }));
    let access = access(&context, secret);
    let key = keyed(key, saved_cart);
    shown(app.change_cart(&context, key, &access, id, expected, change).await)
}

/// Throws an open cart away.
#[utoipa::path(delete, path = "/v1/carts/{cart_id}", tag = "carts", operation_id = "delete_cart",
    params(("cart_id" = CartId, Path), ("Cart-Secret" = Option<String>, Header,
        description = "The secret of a guest's cart."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 204)),
    extensions(("x-permission" = json!("public"))))]
pub(super) async fn delete_cart(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    CartSecret(secret): CartSecret,
    PathParams(id): PathParams<CartId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
) -> Result<Response, Problem> {
    let access = access(&context, secret);
    app.delete_cart(&context, deleted(key), access, id, expected).await?;
    Ok(http::no_content())
}

/// After signing in: the guest's cart becomes the customer's, or its lines go into the open cart
/// that the customer already has. Answers with the customer's cart.
#[utoipa::path(post, path = "/v1/carts/{cart_id}/merge", tag = "carts",
    operation_id = "merge_carts",
    params(("cart_id" = CartId, Path, description = "The guest's cart."),
        ("Cart-Secret" = Option<String>, Header, description = "The secret of the guest's cart.")),
    responses((status = 200, body = CartView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("customer"))))]
pub(super) async fn merge_carts(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    CartSecret(secret): CartSecret,
    PathParams(id): PathParams<CartId>,
    Once(key): Once,
) -> Result<Response, Problem> {
    let access = access(&context, secret);
    shown(app.merge_carts(&context, keyed(key, saved_cart), &access, id).await)
}

/// The answer of every write of a cart but its first.
pub(super) fn saved_cart(seen: &SeenCart) -> platform::idempotency::SavedResponse {
    saved(StatusCode::OK, Some(seen.version), None, &CartView::of(seen))
}

pub(super) fn shown(
    seen: Result<SeenCart, crate::application::Error>,
) -> Result<Response, Problem> {
    let seen = seen?;
    Ok(http::ok(Some(seen.version), &CartView::of(&seen)))
}

fn address(id: CartId) -> String {
    format!("/v1/carts/{id}")
}
