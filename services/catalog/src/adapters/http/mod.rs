//! REST. A handler extracts, calls its use case, and maps.

mod admin_categories;
mod admin_products;
mod admin_views;
mod categories;
mod exports;
mod filters;
mod imports;
mod inputs;
mod products;
mod search;
mod upload;
mod views;

use std::sync::{Arc, LazyLock};

use platform::http::{Problem, Routes, refuse_card_numbers};
use platform::store::Position;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::NAME;
use crate::application::{Catalog, Importer};

/// What handlers share.
#[derive(Clone)]
pub struct App {
    pub catalog: Catalog,
    pub importer: Arc<Importer>,
}

/// What catalog serves.
pub static ROUTES: LazyLock<Routes<App>> = LazyLock::new(|| Routes::new(NAME, router()));

fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(products::list_products))
        .routes(routes!(products::get_product))
        .routes(routes!(search::search_products))
        .routes(routes!(categories::list_categories))
        .routes(routes!(categories::get_category))
        .routes(routes!(admin_products::list_admin_products, admin_products::create_product))
        .routes(routes!(
            admin_products::get_admin_product,
            admin_products::replace_product,
            admin_products::delete_product
        ))
        .routes(routes!(admin_products::publish_product))
        .routes(routes!(admin_products::unpublish_product))
        .routes(routes!(admin_products::archive_product))
        .routes(routes!(imports::import_products))
        .routes(routes!(exports::export_products))
        .routes(routes!(admin_categories::list_admin_categories, admin_categories::create_category))
        .routes(routes!(
            admin_categories::get_admin_category,
            admin_categories::replace_category,
            admin_categories::delete_category
        ))
}

/// The rule of JSON bodies for texts that come in by a file.
pub fn refusal(field: &str, text: &str) -> Option<String> {
    let problem = refuse_card_numbers(field, text).err()?;
    problem.errors().first().map(|error| error.message.clone())
}

/// The place that a cursor names; 400 when it is not one of ours.
fn position(cursor: Option<&str>) -> Result<Option<Position>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    match Position::decode(cursor) {
        Some(position) => Ok(Some(position)),
        None => Err(Problem::invalid_field("cursor", "is not a next_cursor of this list")),
    }
}

/// The version that a write must name, so that nobody's change is lost unseen.
fn required(version: Option<u64>) -> Result<u64, Problem> {
    version.ok_or_else(|| {
        Problem::invalid_field("if-match", "is required: the ETag of what you have read")
    })
}
