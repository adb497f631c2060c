//! `/v1/admin/inventory/receipts`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::{Quantity, Sku};
use platform::http::{Body, Ctx, Once, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::text::one_line;
use super::view::BookedView;
use super::{book_once, booked};
use crate::application::Inventory;
use crate::application::receive_stock::{Receipt, ReceiptLine};
use crate::domain::{LocationId, VariantId};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptBody {
    /// The default location when absent.
    #[garde(skip)]
    #[serde(default)]
    location_id: Option<LocationId>,
    #[garde(length(min = 1, max = 200), dive)]
    #[schema(min_items = 1, max_items = 200)]
    lines: Vec<ReceiptLineBody>,
    /// The delivery note or purchase order.
    #[garde(inner(length(chars, min = 1, max = 100), custom(one_line)))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100, pattern = r"^[^\x00-\x1f\x7f]+$")]
    reference: Option<String>,
    #[garde(inner(length(chars, min = 1, max = 500), custom(one_line)))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500, pattern = r"^[^\x00-\x1f\x7f]+$")]
    note: Option<String>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptLineBody {
    #[garde(skip)]
    variant_id: VariantId,
    #[garde(skip)]
    quantity: Quantity,
    /// Kept when inventory has no SKU of the variant yet.
    #[garde(skip)]
    #[serde(default)]
    sku: Option<Sku>,
}

/// Goods came in: all lines are booked, or none.
#[utoipa::path(post, path = "/v1/admin/inventory/receipts", tag = "inventory",
    operation_id = "create_stock_receipt", request_body = ReceiptBody,
    responses((status = 201, body = BookedView)),
    extensions(("x-permission" = json!("inventory:write"))))]
pub(super) async fn create_receipt(
    State(inventory): State<Inventory>,
    Ctx(context): Ctx,
    Once(key): Once,
    Body(body): Body<ReceiptBody>,
) -> Result<Response, Problem> {
    let line = |line: ReceiptLineBody| ReceiptLine {
        variant: line.variant_id,
        quantity: line.quantity,
        sku: line.sku,
    };
    let receipt = Receipt {
        location: body.location_id.unwrap_or(LocationId::DEFAULT),
        lines: body.lines.into_iter().map(line).collect(),
        reference: body.reference,
        note: body.note,
    };
    booked(inventory.receive(&context, book_once(key), receipt).await)
}
