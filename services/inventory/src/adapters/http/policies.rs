//! `/v1/admin/inventory/policies`

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Sku;
use platform::http::{self, Body, Ctx, Once, PathParams, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::once;
use super::view::BookedView;
use crate::application::Inventory;
use crate::application::set_policy::PolicyChange;
use crate::domain::{Policy, VariantId};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyBody {
    /// False: units are not counted and the variant can always be sold.
    #[garde(skip)]
    tracked: bool,
    /// True: it may be sold below zero.
    #[garde(skip)]
    backorder: bool,
    /// Listed as low at this many free units or fewer.
    #[garde(range(min = 0, max = 1_000_000))]
    #[schema(minimum = 0, maximum = 1_000_000)]
    low_stock_threshold: i64,
    #[garde(skip)]
    #[serde(default)]
    sku: Option<Sku>,
}

/// How a variant is sold, at all locations. 409 when units are promised that the policy forbids.
#[utoipa::path(put, path = "/v1/admin/inventory/policies/{variant_id}", tag = "inventory",
    operation_id = "set_stock_policy", request_body = PolicyBody,
    params(("variant_id" = VariantId, Path)),
    responses((status = 200, body = BookedView)),
    extensions(("x-permission" = json!("inventory:write"))))]
pub(super) async fn set_policy(
    State(inventory): State<Inventory>,
    Ctx(context): Ctx,
    PathParams(variant): PathParams<VariantId>,
    Once(key): Once,
    Body(body): Body<PolicyBody>,
) -> Result<Response, Problem> {
    let policy = Policy {
        tracked: body.tracked,
        backorder: body.backorder,
        low_stock_threshold: body.low_stock_threshold,
    };
    let change = PolicyChange { variant, policy, sku: body.sku };
    let once = once(key, StatusCode::OK, BookedView::of);
    let booked = inventory.set_policy(&context, once, change).await?;
    Ok(http::ok(None, &BookedView::of(&booked)))
}
