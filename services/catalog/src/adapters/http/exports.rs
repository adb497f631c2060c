//! `GET /v1/admin/products/export`

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, header};
use platform::http::{Ctx, Problem};

use super::App;

/// All products as a Shopify file. Importing it again changes nothing.
#[utoipa::path(get, path = "/v1/admin/products/export", tag = "products",
    operation_id = "export_products",
    responses((status = 200, description = "CSV in UTF-8.", body = String,
        content_type = "text/csv")),
    extensions(("x-permission" = json!("catalog:read")), ("x-deadline-ms" = json!(3_600_000))))]
pub async fn export_products(
    State(app): State<App>,
    Ctx(context): Ctx,
) -> Result<Response, Problem> {
    let pieces = app.catalog.export_products(context).await?;
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    let csv = HeaderValue::from_static("text/csv; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, csv);
    let name = HeaderValue::from_static("attachment; filename=\"products.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}
