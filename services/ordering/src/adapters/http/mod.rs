//! REST: carts and orders for buyers, orders and the tariff for staff. Each file is one resource:
//! what comes in, the handlers, what goes out.

mod admin_orders;
mod cart_view;
mod carts;
mod complete;
mod lines;
mod money_view;
mod order_view;
mod orders;
mod pricing_settings;
mod secret;
mod shipping;
mod shipping_methods;
mod shipping_prices;
mod shipping_zones;
mod tax_rates;
mod text;

use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use ::http::StatusCode;
use kernel::id::TypedId;
use platform::http::{Problem, Routes};
use platform::idempotency::{IdempotencyKey, SavedResponse};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::NAME;
use crate::application::App;
use crate::application::app::Keyed;
pub use complete::render_completed;

/// What ordering serves.
pub static ROUTES: LazyLock<Routes<Arc<App>>> =
    LazyLock::new(|| Routes::new(NAME, buyers().merge(staff())));

fn buyers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(carts::create_cart))
        .routes(routes!(carts::get_cart, carts::change_cart, carts::delete_cart))
        .routes(routes!(carts::get_my_cart))
        .routes(routes!(carts::merge_carts))
        .routes(routes!(lines::add_line))
        .routes(routes!(lines::set_line, lines::remove_line))
        .routes(routes!(shipping::list_cart_shipping_methods))
        .routes(routes!(shipping::list_shipping_countries))
        .routes(routes!(complete::complete_cart))
        .routes(routes!(orders::list_orders))
        .routes(routes!(orders::get_order))
        .routes(routes!(orders::cancel_order))
}

fn staff() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(admin_orders::list_all_orders))
        .routes(routes!(admin_orders::get_any_order))
        .routes(routes!(admin_orders::cancel_any_order))
        .routes(routes!(admin_orders::note_order))
        .routes(routes!(shipping_zones::list_shipping_zones, shipping_zones::create_shipping_zone))
        .routes(routes!(
            shipping_zones::get_shipping_zone,
            shipping_zones::update_shipping_zone,
            shipping_zones::delete_shipping_zone
        ))
        .routes(routes!(
            shipping_methods::list_shipping_methods,
            shipping_methods::create_shipping_method
        ))
        .routes(routes!(
            shipping_methods::get_shipping_method,
            shipping_methods::update_shipping_method,
            shipping_methods::delete_shipping_method
        ))
        .routes(routes!(tax_rates::list_tax_rates, tax_rates::create_tax_rate))
        .routes(routes!(
            tax_rates::get_tax_rate,
            tax_rates::update_tax_rate,
            tax_rates::delete_tax_rate
        ))
        .routes(routes!(
            pricing_settings::get_pricing_settings,
            pricing_settings::update_pricing_settings
        ))
}

/// What a request with a key answers, now and again.
fn keyed<T>(
    key: Option<IdempotencyKey>,
    render: impl Fn(&T) -> SavedResponse + Send + Sync + 'static,
) -> Option<Keyed<T>> {
    key.map(|key| Keyed { key, render: Arc::new(render) })
}

/// An answer with the headers that belong to a thing with a version.
fn saved<V: Serialize>(
    status: StatusCode,
    version: Option<u64>,
    location: Option<String>,
    view: &V,
) -> SavedResponse {
    let mut saved = SavedResponse::json(status.as_u16(), view);
    if let Some(version) = version {
        saved = saved.header("etag", format!("\"{version}\""));
    }
    if let Some(location) = location {
        saved = saved.header("location", location);
    }
    saved
}

fn deleted(key: Option<IdempotencyKey>) -> Option<Keyed<()>> {
    keyed(key, |(): &()| SavedResponse::empty(204))
}

/// The page of `parts` (sorted by id) that follows `cursor`, and the cursor of the next one.
fn page_of<I: TypedId + Ord, T>(
    parts: impl Iterator<Item = (I, T)>,
    limit: u32,
    after: Option<I>,
) -> (Vec<(I, T)>, Option<String>) {
    let mut rest = parts.skip_while(|(id, _)| after.is_some_and(|after| *id <= after));
    let page: Vec<_> = rest.by_ref().take(limit as usize).collect();
    let more = rest.next().is_some();
    let next = page.last().filter(|_| more).map(|(id, _)| id.to_string());
    (page, next)
}

/// Where a list of parts goes on.
fn after_id<I: FromStr>(cursor: Option<&str>) -> Result<Option<I>, Problem> {
    let bad = |_| Problem::invalid_field("cursor", "is not a next_cursor of this list");
    cursor.map(str::parse).transpose().map_err(bad)
}
