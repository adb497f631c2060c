//! `/v1/admin/tax-rates`: what is added to, or contained in, prices, by place and class of goods.

use std::sync::Arc;

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::CountryCode;
use platform::http::{
    self, Body, Ctx, IfMatch, Once, Page, PageParams, Params, PathParams, Problem,
};
use platform::idempotency::SavedResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::money_view::{parse_percent, percent};
use super::{after_id, deleted, keyed, page_of, saved, text};
use crate::application::App;
use crate::application::app::Seen;
use crate::domain::TaxRateId;
use crate::domain::pricing::tax::TaxRate;

type SeenTaxRate = Seen<TaxRateId, TaxRate>;

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTaxRate)]
pub(super) struct TaxRateBody {
    /// As it stands on the receipt.
    #[garde(length(chars, min = 1, max = 100), custom(text::one_line))]
    #[schema(min_length = 1, max_length = 100, example = "VAT 19 %")]
    name: String,
    #[garde(skip)]
    country: CountryCode,
    /// State, province or county as addresses name it (`CA`), in any case. None: the whole country;
    /// the rate of a region replaces that of the country.
    #[garde(inner(length(chars, min = 1, max = 32), custom(text::one_line)))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 32, example = "CA")]
    region: Option<String>,
    #[garde(length(chars, min = 1, max = 50), custom(text::tax_class))]
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9_-]+$", example = "standard")]
    tax_class: String,
    /// 0 to 100 with at most four decimals, as a text so that nothing is lost.
    #[garde(length(chars, min = 1, max = 8))]
    #[schema(
        max_length = 8,
        pattern = r"^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)$",
        example = "8.875"
    )]
    rate_percent: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TaxRate)]
pub(super) struct TaxRateView {
    id: TaxRateId,
    name: String,
    country: CountryCode,
    region: Option<String>,
    tax_class: String,
    rate_percent: String,
}

fn read(body: TaxRateBody) -> Result<TaxRate, Problem> {
    let bad = || Problem::invalid_field("rate_percent", "is 0 to 100 with at most four decimals");
    let rate_ppm = parse_percent(&body.rate_percent).ok_or_else(bad)?;
    let TaxRateBody { name, country, region, tax_class, .. } = body;
    Ok(TaxRate { name, country, region, tax_class, rate_ppm })
}

/// All tax rates, oldest first.
#[utoipa::path(get, path = "/v1/admin/tax-rates", tag = "settings",
    operation_id = "list_tax_rates", params(PageParams),
    responses((status = 200, body = Page<TaxRateView>)),
    extensions(("x-permission" = json!("settings:read"))))]
pub(super) async fn list_tax_rates(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Response, Problem> {
    let tariff = app.tariff().await?;
    let after = after_id::<TaxRateId>(params.cursor.as_deref())?;
    let parts = tariff.tax_rates.iter().map(|(id, kept)| (*id, &kept.value));
    let (page, next_cursor) = page_of(parts, params.limit(), after);
    let items = page.into_iter().map(|(id, value)| view(id, value)).collect();
    Ok(http::ok(None, &Page { items, next_cursor }))
}

/// A new tax rate. A place and class have one.
#[utoipa::path(post, path = "/v1/admin/tax-rates", tag = "settings",
    operation_id = "create_tax_rate", request_body = TaxRateBody,
    responses((status = 201, body = TaxRateView, headers(("etag" = String), ("location" = String)))),
    extensions(("x-permission" = json!("settings:write"))))]
pub(super) async fn create_tax_rate(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(body): Body<TaxRateBody>,
) -> Result<Response, Problem> {
    let key = keyed(key, |seen: &SeenTaxRate| answer(StatusCode::CREATED, seen));
    let seen = app.create_part::<TaxRate>(&context, key, read(body)?).await?;
    Ok(http::created(&address(seen.id), Some(seen.version), &view(seen.id, &seen.state)))
}

/// One tax rate.
#[utoipa::path(get, path = "/v1/admin/tax-rates/{tax_rate_id}", tag = "settings",
    operation_id = "get_tax_rate", params(("tax_rate_id" = TaxRateId, Path)),
    responses((status = 200, body = TaxRateView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("settings:read"))))]
pub(super) async fn get_tax_rate(
    State(app): State<Arc<App>>,
    PathParams(id): PathParams<TaxRateId>,
) -> Result<Response, Problem> {
    let tariff = app.tariff().await?;
    let kept = tariff.tax_rates.get(&id).ok_or_else(Problem::not_found)?;
    Ok(http::ok(Some(kept.version), &view(id, &kept.value)))
}

/// Replaces a tax rate. Orders that were placed keep theirs.
#[utoipa::path(put, path = "/v1/admin/tax-rates/{tax_rate_id}", tag = "settings",
    operation_id = "update_tax_rate", request_body = TaxRateBody,
    params(("tax_rate_id" = TaxRateId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = TaxRateView, headers(("etag" = String)))),
    extensions(("x-permission" = json!("settings:write"))))]
pub(super) async fn update_tax_rate(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<TaxRateId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
    Body(body): Body<TaxRateBody>,
) -> Result<Response, Problem> {
    let key = keyed(key, |seen: &SeenTaxRate| answer(StatusCode::OK, seen));
    let value = read(body)?;
    let seen = app.replace_part::<TaxRate>(&context, key, id, expected, value).await?;
    Ok(http::ok(Some(seen.version), &view(id, &seen.state)))
}

/// Deletes a tax rate. Orders that were placed keep it.
#[utoipa::path(delete, path = "/v1/admin/tax-rates/{tax_rate_id}", tag = "settings",
    operation_id = "delete_tax_rate",
    params(("tax_rate_id" = TaxRateId, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 204)),
    extensions(("x-permission" = json!("settings:write"))))]
pub(super) async fn delete_tax_rate(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<TaxRateId>,
    IfMatch(expected): IfMatch,
    Once(key): Once,
) -> Result<Response, Problem> {
    app.remove_part::<TaxRate>(&context, deleted(key), id, expected).await?;
    Ok(http::no_content())
}

fn answer(status: StatusCode, seen: &SeenTaxRate) -> SavedResponse {
    let location = (status == StatusCode::CREATED).then(|| address(seen.id));
    saved(status, Some(seen.version), location, &view(seen.id, &seen.state))
}

fn address(id: TaxRateId) -> String {
    format!("/v1/admin/tax-rates/{id}")
}

fn view(id: TaxRateId, rate: &TaxRate) -> TaxRateView {
    TaxRateView {
        id,
        name: rate.name.clone(),
        country: rate.country,
        region: rate.region.clone(),
        tax_class: rate.tax_class.clone(),
        rate_percent: percent(rate.rate_ppm),
    }
}
