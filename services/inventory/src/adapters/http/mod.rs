//! REST for staff, under `/v1/admin/inventory`. Each file is one resource: what comes in, the
//! handlers, what goes out. Reading needs `inventory:read`, writing `inventory:write`.

mod adjustments;
mod levels;
mod locations;
mod movements;
mod policies;
mod receipts;
mod reservations;
mod text;
mod transfers;
mod view;

use std::sync::LazyLock;

use ::http::StatusCode;
use axum::response::Response;
use platform::http::{self, Problem, Routes};
use platform::idempotency::{IdempotencyKey, Idempotent, SavedResponse};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::NAME;
use crate::application::{Booked, Error, Inventory};
use view::BookedView;

/// What inventory serves.
pub static ROUTES: LazyLock<Routes<Inventory>> = LazyLock::new(|| Routes::new(NAME, router()));

fn router() -> OpenApiRouter<Inventory> {
    OpenApiRouter::new()
        .routes(routes!(locations::list_locations, locations::create_location))
        .routes(routes!(
            locations::get_location,
            locations::update_location,
            locations::delete_location
        ))
        .routes(routes!(levels::list_levels))
        .routes(routes!(receipts::create_receipt))
        .routes(routes!(adjustments::create_adjustment))
        .routes(routes!(transfers::create_transfer))
        .routes(routes!(policies::set_policy))
        .routes(routes!(movements::list_movements))
        .routes(routes!(reservations::list_reservations))
}

/// What a booking answers, now and again for the same key.
fn booked(outcome: Result<Booked, Error>) -> Result<Response, Problem> {
    Ok(http::json(StatusCode::CREATED, None, &BookedView::of(&outcome?)))
}

fn book_once(key: Option<IdempotencyKey>) -> Option<Idempotent<Booked>> {
    once(key, StatusCode::CREATED, BookedView::of)
}

fn once<R: 'static, V: Serialize + 'static>(
    key: Option<IdempotencyKey>,
    status: StatusCode,
    view: fn(&R) -> V,
) -> Option<Idempotent<R>> {
    let status = status.as_u16();
    key.map(|key| Idempotent::render(key, move |reply| SavedResponse::json(status, &view(reply))))
}
