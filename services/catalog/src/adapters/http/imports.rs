//! `POST /v1/admin/products/import`

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use futures_util::future::join;
use garde::Validate;
use http::{HeaderMap, StatusCode, header};
use kernel::{Currency, Locale};
use platform::http::{Ctx, Params, Problem, ok};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{App, upload};
use crate::domain::import::{Format, Report};

/// How the file is to be read.
#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportParams {
    /// `auto` (from the headers) when absent.
    #[garde(skip)]
    #[param(inline)]
    format: Option<FormatParam>,
    /// `true`: only tell what would happen.
    #[garde(skip)]
    dry_run: Option<bool>,
    /// `false`: leave aside what the file says of stock, which needs no permission of inventory.
    #[garde(skip)]
    stock: Option<bool>,
    /// Of prices in columns that name no currency; the shop's own when absent.
    #[garde(skip)]
    #[param(inline)]
    currency: Option<Currency>,
    /// Of texts in columns that name no locale; the shop's own when absent.
    #[garde(skip)]
    #[param(inline)]
    locale: Option<Locale>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormatParam {
    Auto,
    Shopify,
    Vendure,
}

/// Imports products from a file of Shopify (older or newer headers) or Vendure, at most 1 GiB.
///
/// Good products go in, bad rows are told with line and column. Nothing is ever removed, and
/// importing the same file again changes nothing: so an `Idempotency-Key` is accepted and not
/// needed. The answer comes when all is stored.
///
/// The permission for product files covers all that a file says of products, their status
/// included. A file with stock columns (tracker, quantity, policy) needs `inventory:write` as well,
/// unless `stock=false`; without it the file is refused as a whole.
#[utoipa::path(post, path = "/v1/admin/products/import", tag = "products",
    operation_id = "import_products", params(ImportParams),
    request_body(content = String, content_type = "text/csv", description = "CSV in UTF-8."),
    responses((status = 200, description = "What became of it.", body = Report)),
    extensions(("x-permission" = json!("catalog:import")),
        ("x-body-limit" = json!(1_073_741_824u64)), ("x-deadline-ms" = json!(3_600_000)),
        ("x-idempotency" = json!("none"))))]
pub async fn import_products(
    State(app): State<App>,
    Ctx(context): Ctx,
    Params(params): Params<ImportParams>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    expect_csv(&headers)?;
    let mut options = app.importer.options();
    options.format = match params.format {
        Some(FormatParam::Shopify) => Some(Format::Shopify),
        Some(FormatParam::Vendure) => Some(Format::Vendure),
        Some(FormatParam::Auto) | None => None,
    };
    options.stock = params.stock.unwrap_or(true);
    options.dry_run = params.dry_run.unwrap_or(false);
    options.currency = params.currency.unwrap_or(options.currency);
    options.locale = params.locale.unwrap_or(options.locale);
    let (pieces, feed) = upload::split(body);
    let work = app.importer.import(&context, pieces, options, |_| ());
    let (report, broken) = join(work, feed).await;
    match broken {
        Some(problem) => Err(problem),
        None => Ok(ok(None, &report?)),
    }
}

fn expect_csv(headers: &HeaderMap) -> Result<(), Problem> {
    const ACCEPTED: [&str; 5] = [
        "text/csv",
        "text/plain",
        "application/csv",
        "application/octet-stream",
        "application/vnd.ms-excel",
    ];
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let media_type = value.to_str().unwrap_or("?").split(';').next().unwrap_or("").trim();
    if ACCEPTED.iter().any(|accepted| media_type.eq_ignore_ascii_case(accepted)) {
        return Ok(());
    }
    Err(Problem::with_status(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "The Content-Type must be text/csv.",
    )
    .field("content-type", "must be text/csv"))
}
