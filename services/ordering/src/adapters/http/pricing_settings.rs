//! `/v1/admin/pricing-settings`: how prices are meant and rounded.

use std::sync::Arc;

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use platform::http::{self, Body, Ctx, IfMatch, Once, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{keyed, saved, text};
use crate::application::App;
use crate::domain::pricing::Rounding;
use crate::domain::pricing::tariff::{Kept, PricingSettings};

#[derive(Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PricingSettings)]
pub(super) struct SettingsBody {
    /// True: prices of goods and shipping contain the tax.
    #[garde(skip)]
    prices_include_tax: bool,
    #[garde(skip)]
    rounding: RoundingBody,
    /// The class that shipping is taxed by; null: shipping is not taxed.
    #[garde(inner(length(chars, min = 1, max = 50), custom(text::tax_class)))]
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9_-]+$", example = "standard")]
    shipping_tax_class: Option<String>,
}

/// Where exactly half a minor unit of tax goes: up, or to the even neighbour. Tax is rounded once
/// for each line; an order's tax is the sum of its lines' taxes.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TaxRounding)]
enum RoundingBody {
    HalfUp,
    HalfEven,
}

impl From<SettingsBody> for PricingSettings {
    fn from(body: SettingsBody) -> Self {
        Self {
            prices_include_tax: body.prices_include_tax,
            rounding: match body.rounding {
                RoundingBody::HalfUp => Rounding::HalfUp,
                RoundingBody::HalfEven => Rounding::HalfEven,
            },
            shipping_tax_class: body.shipping_tax_class,
        }
    }
}

impl From<&PricingSettings> for SettingsBody {
    fn from(settings: &PricingSettings) -> Self {
        Self {
            prices_include_tax: settings.prices_include_tax,
            rounding: match settings.rounding {
                Rounding::HalfUp => RoundingBody::HalfUp,
                Rounding::HalfEven => RoundingBody::HalfEven,
            },
            shipping_tax_class: settings.shipping_tax_class.clone(),
        }
    }
}

/// How prices are meant and rounded.
#[utoipa::path(get, path = "/v1/admin/pricing-settings", tag = "settings",
    operation_id = "get_pricing_settings",
    responses((status = 200, body = SettingsBody, headers(("etag" = String)))),
    extensions(("x-permission" = json!("settings:read"))))]
pub(super) async fn get_pricing_settings(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let tariff = app.tariff().await?;
    Ok(http::ok(Some(tariff.settings_version), &SettingsBody::from(&tariff.settings)))
}

/// Replaces them. Orders that were placed keep their sums.
#[utoipa::path(put, path = "/v1/admin/pricing-settings", tag = "settings",
    operation_id = "update_pricing_settings", request_body = SettingsBody,
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = SettingsBody, headers(("etag" = String)))),
    extensions(("x-permission" = json!("settings:write"))))]
pub(super) async fn update_pricing_settings(
    State(app): State<Arc<App>>,
    Ctx(context): Ctx,
    IfMatch(expected): IfMatch,
    Once(key): Once,
    Body(body): Body<SettingsBody>,
) -> Result<Response, Problem> {
    let key = keyed(key, |kept: &Kept<PricingSettings>| {
        saved(StatusCode::OK, Some(kept.version), None, &SettingsBody::from(&kept.value))
    });
    let kept = app.replace_settings(&context, key, expected, body.into()).await?;
    Ok(http::ok(Some(kept.version), &SettingsBody::from(&kept.value)))
}
