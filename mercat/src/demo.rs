//! The demo shop: made-up products with pictures that this project draws itself, in the binary.

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use include_dir::{Dir, include_dir};

/// A product file in Shopify's format.
pub const PRODUCTS: &[u8] = include_bytes!("../demo/products.csv");

static PICTURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/demo/media");

/// Serves `/media/demo/<name>.svg`.
pub fn pictures() -> Router {
    Router::new().route("/media/demo/{name}", get(picture))
}

async fn picture(Path(name): Path<String>) -> Response {
    match PICTURES.get_file(&name) {
        Some(file) => {
            let headers = [
                (header::CONTENT_TYPE, "image/svg+xml"),
                (header::CACHE_CONTROL, "public, max-age=3600"),
                // A picture opened by itself may run nothing.
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
            ];
            (headers, file.contents()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
