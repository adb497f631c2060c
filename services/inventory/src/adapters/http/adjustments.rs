//! `/v1/admin/inventory/adjustments`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use platform::http::{Body, Ctx, Once, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::text::one_line;
use super::view::{AdjustmentReason, BookedView};
use super::{book_once, booked};
use crate::application::Inventory;
use crate::application::adjust_stock::Adjustment;
use crate::domain::{LocationId, VariantId};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdjustmentBody {
    #[garde(skip)]
    variant_id: VariantId,
    /// The default location when absent.
    #[garde(skip)]
    #[serde(default)]
    location_id: Option<LocationId>,
    /// Units to add; below zero to take away, never zero.
    #[garde(range(min = -1_000_000, max = 1_000_000), custom(not_zero))]
    #[schema(minimum = -1_000_000, maximum = 1_000_000, example = -2)]
    delta: i64,
    #[garde(skip)]
    reason: AdjustmentReason,
    #[garde(inner(length(chars, min = 1, max = 500), custom(one_line)))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500, pattern = r"^[^\x00-\x1f\x7f]+$")]
    note: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde hands values as references")]
fn not_zero(delta: &i64, _: &()) -> garde::Result {
    if *delta == 0 {
        return Err(garde::Error::new("must not be zero"));
    }
    Ok(())
}

/// Corrects the books. 409 when orders hold more units than would be left.
#[utoipa::path(post, path = "/v1/admin/inventory/adjustments", tag = "inventory",
    operation_id = "create_stock_adjustment", request_body = AdjustmentBody,
    responses((status = 201, body = BookedView)),
    extensions(("x-permission" = json!("inventory:write"))))]
pub(super) async fn create_adjustment(
    State(inventory): State<Inventory>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(body): Body<AdjustmentBody>,
) -> Result<Response, Problem> {
    let adjustment = Adjustment {
        variant: body.variant_id,
        location: body.location_id.unwrap_or(LocationId::DEFAULT),
        delta: body.delta,
        reason: body.reason.into(),
        note: body.note,
    };
    booked(inventory.adjust(&context, book_once(key), adjustment).await)
}
