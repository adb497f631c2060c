//! `/v1/admin/inventory/reservations`

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::{Limit, Timestamp};
use platform::http::{self, Page, Params, Problem};
use platform::store::Versioned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::application::Inventory;
use crate::domain::{Line, LocationId, OrderId, Reservation, Stage, VariantId};

#[derive(Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReservationParams {
    #[garde(skip)]
    order_id: Option<OrderId>,
    #[garde(skip)]
    #[param(inline)]
    status: Option<ReservationStatus>,
    /// How many elements: 1 to 100, 20 when absent.
    #[garde(inner(range(min = 1, max = 100)))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[garde(inner(length(chars, min = 1, max = 512)))]
    #[param(min_length = 1, max_length = 512)]
    cursor: Option<String>,
}

/// What orders hold and held, newest first.
#[utoipa::path(get, path = "/v1/admin/inventory/reservations", tag = "inventory",
    operation_id = "list_reservations", params(ReservationParams),
    responses((status = 200, body = Page<ReservationView>)),
    extensions(("x-permission" = json!("inventory:read"))))]
pub(super) async fn list_reservations(
    State(inventory): State<Inventory>,
    Params(params): Params<ReservationParams>,
) -> Result<Response, Problem> {
    let status = params.status.map(ReservationStatus::as_str);
    let limit = params.limit.unwrap_or(Limit::DEFAULT.get());
    let cursor = params.cursor.as_deref();
    let found = inventory.list_reservations(params.order_id, status, limit, cursor).await?;
    let items = found.items.iter().map(ReservationView::of).collect();
    Ok(http::ok(None, &Page { items, next_cursor: found.next_cursor }))
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// Units are held for the order.
    Active,
    /// The order was confirmed and has its units.
    Committed,
    /// The confirmed order was cancelled and its units came back.
    Returned,
    /// Given back, or refused in advance because the release came first.
    Released,
    /// Given back because the time ran out.
    Expired,
    /// There was not enough.
    Refused,
}

impl ReservationStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Committed => "committed",
            Self::Returned => "returned",
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Refused => "refused",
        }
    }
}

/// What an order holds or held.
#[derive(Serialize, ToSchema)]
pub struct ReservationView {
    pub order_id: OrderId,
    pub status: ReservationStatus,
    pub lines: Vec<ReservationLineView>,
    /// Of an active one.
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub struct ReservationLineView {
    pub variant_id: VariantId,
    #[schema(minimum = 1)]
    pub quantity: u32,
    /// Where the units come from; empty when the variant is not counted.
    pub splits: Vec<SplitView>,
}

#[derive(Serialize, ToSchema)]
pub struct SplitView {
    pub location_id: LocationId,
    #[schema(minimum = 1)]
    pub quantity: u32,
}

impl ReservationView {
    pub fn of(reservation: &Versioned<Reservation>) -> Self {
        let line = |line: &Line| ReservationLineView {
            variant_id: line.variant,
            quantity: line.units,
            splits: line
                .splits
                .iter()
                .map(|split| SplitView { location_id: split.location, quantity: split.units })
                .collect(),
        };
        Self {
            order_id: OrderId::from_uuid(reservation.id),
            status: (&reservation.stage).into(),
            lines: reservation.lines.iter().map(line).collect(),
            expires_at: reservation.expires_at(),
            created_at: reservation.created_at,
        }
    }
}

impl From<&Stage> for ReservationStatus {
    fn from(stage: &Stage) -> Self {
        match stage {
            Stage::Active { .. } => Self::Active,
            Stage::Committed { .. } => Self::Committed,
            Stage::Returned { .. } => Self::Returned,
            Stage::Released { .. } => Self::Released,
            Stage::Expired { .. } => Self::Expired,
            Stage::Refused { .. } => Self::Refused,
        }
    }
}
