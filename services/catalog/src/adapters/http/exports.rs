//! `GET /v1/admin/products/export`

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use http::{HeaderValue, header};
use platform::http::{Ctx, Params, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;

/// What to tell.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportParams {
    /// `false`: leave the stock cells empty, which needs no permission of inventory.
    #[garde(skip)]
    stock: Option<bool>,
}

/// All products as a Shopify file. Importing it again changes nothing.
///
/// It tells more than shoppers see: drafts and archived products, costs, everything kept aside. So
/// it needs `catalog:import`, the permission for product files; and `inventory:read` as well,
/// because it tells stock, unless `stock=false`.
#[utoipa::path(get, path = "/v1/admin/products/export", tag = "products",
    operation_id = "export_products", params(ExportParams),
    responses((status = 200, description = "CSV in UTF-8.", body = String,
        content_type = "text/csv")),
    extensions(("x-permission" = json!("catalog:import")), ("x-deadline-ms" = json!(3_600_000))))]
pub async fn export_products(
    State(app): State<App>,
    Ctx(context): Ctx,
    Params(params): Params<ExportParams>,
) -> Result<Response, Problem> {
    let stock = params.stock.unwrap_or(true);
    let pieces = app.catalog.export_products(context, stock).await?;
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    let csv = HeaderValue::from_static("text/csv; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, csv);
    let name = HeaderValue::from_static("attachment; filename=\"products.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}
