//! REST. A handler extracts, calls its use case, and maps.

mod captures;
mod ledger;
mod methods;
mod notifications;
mod payments;
mod refunds;
mod views;
mod voids;

use std::sync::{Arc, LazyLock};

use platform::http::Routes;
use platform::idempotency::SavedResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::NAME;
use crate::application::Payments;
use crate::domain::{OperationId, Payment};
pub use ledger::LedgerView;
pub use views::{CaptureView, PaymentView, RefundView};

/// What handlers share.
pub type App = Arc<Payments>;

/// What payment serves.
pub static ROUTES: LazyLock<Routes<App>> = LazyLock::new(|| Routes::new(NAME, router()));

fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(payments::list_payments))
        .routes(routes!(payments::get_payment))
        .routes(routes!(captures::capture_payment))
        .routes(routes!(refunds::refund_payment))
        .routes(routes!(voids::void_payment))
        .routes(routes!(ledger::get_payment_ledger))
        .routes(routes!(methods::list_payment_methods))
        .routes(routes!(notifications::receive_notification))
}

/// The answer to the request that asked for `operation`, for whoever settles it.
pub fn answer(payment: &Payment, operation: OperationId) -> SavedResponse {
    let status = |pending: bool, settled: u16| if pending { 202 } else { settled };
    let saved = match operation {
        OperationId::Capture(id) => CaptureView::of(payment, id)
            .map(|view| SavedResponse::json(status(view.is_pending(), 201), &view)),
        OperationId::Refund(id) => RefundView::of(payment, id)
            .map(|view| SavedResponse::json(status(view.is_pending(), 201), &view)),
        OperationId::Void => {
            let view = PaymentView::of(payment);
            Some(SavedResponse::json(status(view.void_pending, 200), &view))
        }
    };
    saved.unwrap_or_else(|| SavedResponse::empty(204)).header("location", location(payment))
}

fn location(payment: &Payment) -> String {
    format!("/v1/admin/payments/{}", payment.id)
}
