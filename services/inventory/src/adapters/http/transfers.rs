//! `/v1/admin/inventory/transfers`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::Quantity;
use platform::http::{Body, Ctx, Once, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::text::one_line;
use super::view::BookedView;
use super::{book_once, booked};
use crate::application::Inventory;
use crate::application::transfer_stock::Transfer;
use crate::domain::{LocationId, VariantId};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferBody {
    #[garde(skip)]
    variant_id: VariantId,
    #[garde(skip)]
    from_location_id: LocationId,
    #[garde(skip)]
    to_location_id: LocationId,
    #[garde(skip)]
    quantity: Quantity,
    #[garde(inner(length(chars, min = 1, max = 100), custom(one_line)))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100, pattern = r"^[^\x00-\x1f\x7f]+$")]
    reference: Option<String>,
    #[garde(inner(length(chars, min = 1, max = 500), custom(one_line)))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500, pattern = r"^[^\x00-\x1f\x7f]+$")]
    note: Option<String>,
}

/// Goods went from one location to another. Only units that no order holds can go.
#[utoipa::path(post, path = "/v1/admin/inventory/transfers", tag = "inventory",
    operation_id = "create_stock_transfer", request_body = TransferBody,
    responses((status = 201, body = BookedView)),
    extensions(("x-permission" = json!("inventory:write"))))]
pub(super) async fn create_transfer(
    State(inventory): State<Inventory>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(body): Body<TransferBody>,
) -> Result<Response, Problem> {
    let transfer = Transfer {
        variant: body.variant_id,
        from: body.from_location_id,
        to: body.to_location_id,
        quantity: body.quantity,
        reference: body.reference,
        note: body.note,
    };
    booked(inventory.transfer(&context, book_once(key), transfer).await)
}
