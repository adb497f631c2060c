//! Where the shop ships, and how a cart can be shipped.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use kernel::{CountryCode, Money};
use platform::http::{self, Ctx, Page, PathParams, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::secret::CartSecret;
use crate::application::App;
use crate::application::app::access;
use crate::domain::{CartId, ShippingMethodId};

/// A way in which the cart can be shipped.
#[derive(Serialize, ToSchema)]
#[schema(as = CartShippingMethod)]
pub(super) struct OptionView {
    id: ShippingMethodId,
    name: String,
    price: Money,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ShippingCountries)]
pub(super) struct CountriesView {
    /// True: the shop ships to every country; the list is then empty.
    everywhere: bool,
    countries: Vec<CountryCode>,
}

/// The ways in which the cart can be shipped to its shipping address, with prices. Empty without an
/// address, or when nothing in the cart is shipped.
#[utoipa::path(get, path = "/v1/carts/{cart_id}/shipping-methods", tag = "carts",
    operation_id = "list_cart_shipping_methods",
    params(("cart_id" = CartId, Path), ("Cart-Secret" = Option<String>, Header,
        description = "The secret of a guest's cart.")),
    responses((status = 200, body = Page<OptionView>)),
    extensions(("x-permission" = json!("public"))))]
pub(super) async fn list_cart_shipping_methods(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    CartSecret(secret): CartSecret,
    PathParams(id): PathParams<CartId>,
) -> Result<Response, Problem> {
    let seen = app.get_cart(&context, &access(&context, secret), id).await?;
    let languages = app.languages(&context);
    let items = seen
        .shipping_options()
        .into_iter()
        .map(|option| OptionView {
            id: option.id,
            name: option.method.name.choose(&languages.wanted, &languages.fallback).to_owned(),
            price: Money::new(option.amount_minor, seen.cart.currency),
        })
        .collect();
    Ok(http::ok(None, &Page { items, next_cursor: None }))
}

/// The countries that the shop ships to.
#[utoipa::path(get, path = "/v1/shipping-countries", tag = "carts",
    operation_id = "list_shipping_countries",
    responses((status = 200, body = CountriesView)),
    extensions(("x-permission" = json!("public"))))]
pub(super) async fn list_shipping_countries(
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let countries = app.tariff().await?.countries();
    let everywhere = countries.is_none();
    let countries = countries.unwrap_or_default();
    Ok(http::ok(None, &CountriesView { everywhere, countries }))
}
