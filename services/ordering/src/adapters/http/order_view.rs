//! An order as its buyer sees it, and as staff does.

use kernel::{Address, CountryCode, Currency, Email, Money, Quantity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::money_view::{TotalsView, percent};
use crate::application::SeenOrder;
use crate::domain::checkout::{RejectReason, Rejection};
use crate::domain::erasure::{Erased, Region};
use crate::domain::order::{ChosenShipping, Happening, Note, Order, OrderLine, Stage, What};
use crate::domain::payment::PaymentStatus;
use crate::domain::{
    CartId, CustomerId, NoteId, OrderId, PaymentId, ProductId, ShippingMethodId, VariantId,
};

#[derive(Serialize, ToSchema)]
#[schema(as = Order)]
pub(super) struct OrderView {
    id: OrderId,
    /// Consecutive; only orders that were confirmed have one.
    number: Option<u64>,
    status: OrderStatusView,
    payment_status: Option<PaymentStatusView>,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rejection: Option<RejectionView>,
    currency: Currency,
    email: Option<Email>,
    shipping_address: Option<Address>,
    billing_address: Option<Address>,
    shipping_method: Option<OrderShippingView>,
    lines: Vec<OrderLineView>,
    totals: TotalsView,
    placed_at: Timestamp,
    timeline: Vec<HappeningView>,
}

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderStatus)]
pub(super) enum OrderStatusView {
    /// Its checkout runs.
    Placed,
    Confirmed,
    Rejected,
    Cancelled,
}

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderPaymentStatus)]
pub(super) enum PaymentStatusView {
    Authorized,
    PartiallyCaptured,
    Captured,
    PartiallyRefunded,
    Refunded,
    Voided,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OrderRejection)]
struct RejectionView {
    reason: RejectReasonView,
    /// What there was too little of.
    shortages: Vec<ShortageView>,
    /// The payment provider's reason, such as `card_declined`.
    decline_code: Option<String>,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RejectReason)]
enum RejectReasonView {
    OutOfStock,
    PaymentDeclined,
    PaymentUnresolved,
    TimedOut,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OrderShortage)]
struct ShortageView {
    variant_id: VariantId,
    requested: u32,
    available: u32,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OrderShipping)]
struct OrderShippingView {
    id: ShippingMethodId,
    name: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OrderLine)]
struct OrderLineView {
    variant_id: VariantId,
    product_id: ProductId,
    sku: Option<String>,
    title: String,
    variant_title: Option<String>,
    quantity: Quantity,
    /// Of one unit.
    price: Money,
    /// Price × quantity.
    amount: Money,
    /// On, or contained in, the amount.
    tax: Money,
    #[schema(example = "19")]
    tax_rate_percent: String,
    requires_shipping: bool,
}

/// Something that happened to an order.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderHappening)]
struct HappeningView {
    at: Timestamp,
    event: HappeningKind,
    /// Of a capture or refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    amount: Option<Money>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderHappeningKind)]
enum HappeningKind {
    Placed,
    Confirmed,
    Rejected,
    Cancelled,
    PaymentVoided,
    PaymentCaptured,
    PaymentRefunded,
}

/// An order with what only staff may know.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminOrder)]
pub(super) struct AdminOrderView {
    #[serde(flatten)]
    order: OrderView,
    cart_id: CartId,
    /// None for a guest.
    customer_id: Option<CustomerId>,
    payment_id: Option<PaymentId>,
    cancellation: Option<CancellationView>,
    /// Only when the buyer's account was erased: e-mail and addresses are gone, and of the addresses
    /// this is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    erased: Option<ErasedView>,
    notes: Vec<NoteView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OrderErasure)]
struct ErasedView {
    at: Timestamp,
    shipped_to: Option<RegionView>,
    billed_to: Option<RegionView>,
}

/// As much of an address as taxes depend on.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderRegion)]
struct RegionView {
    country: CountryCode,
    region: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OrderCancellation)]
struct CancellationView {
    reason: String,
    /// Who cancelled, such as `staff:<account>`.
    by: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OrderNote)]
struct NoteView {
    id: NoteId,
    text: String,
    by: String,
    at: Timestamp,
}

impl OrderView {
    pub fn of(seen: &SeenOrder) -> Self {
        let order = &seen.state;
        let rejection = match &order.stage {
            Stage::Rejected { rejection, .. } => Some(RejectionView::of(rejection)),
            _ => None,
        };
        Self {
            id: seen.id,
            number: order.number(),
            status: OrderStatusView::of(&order.stage),
            payment_status: order.payment_status().map(PaymentStatusView::of),
            rejection,
            currency: order.currency,
            email: order.email.clone(),
            shipping_address: order.shipping_address.clone(),
            billing_address: order.billing_address.clone(),
            shipping_method: order.shipping.as_ref().map(shipping),
            lines: order.lines.iter().map(|line| OrderLineView::of(line, order.currency)).collect(),
            totals: TotalsView::of_order(&order.sums, order.currency),
            placed_at: order.placed_at,
            timeline: order.timeline.iter().map(|h| happening(h, order.currency)).collect(),
        }
    }
}

impl AdminOrderView {
    pub fn of(seen: &SeenOrder) -> Self {
        let order = &seen.state;
        Self {
            order: OrderView::of(seen),
            cart_id: order.cart_id,
            customer_id: order.customer_id,
            payment_id: order.payment().map(|payment| payment.id),
            cancellation: cancellation(order),
            erased: order.erased.as_ref().map(erased),
            notes: order.notes.iter().map(note).collect(),
        }
    }
}

impl OrderStatusView {
    fn of(stage: &Stage) -> Self {
        match stage {
            Stage::Placed { .. } => Self::Placed,
            Stage::Confirmed { .. } => Self::Confirmed,
            Stage::Rejected { .. } => Self::Rejected,
            Stage::Cancelled { .. } => Self::Cancelled,
        }
    }

    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }
}

impl PaymentStatusView {
    fn of(status: PaymentStatus) -> Self {
        match status {
            PaymentStatus::Authorized => Self::Authorized,
            PaymentStatus::PartiallyCaptured => Self::PartiallyCaptured,
            PaymentStatus::Captured => Self::Captured,
            PaymentStatus::PartiallyRefunded => Self::PartiallyRefunded,
            PaymentStatus::Refunded => Self::Refunded,
            PaymentStatus::Voided => Self::Voided,
        }
    }

    pub fn status(self) -> PaymentStatus {
        match self {
            Self::Authorized => PaymentStatus::Authorized,
            Self::PartiallyCaptured => PaymentStatus::PartiallyCaptured,
            Self::Captured => PaymentStatus::Captured,
            Self::PartiallyRefunded => PaymentStatus::PartiallyRefunded,
            Self::Refunded => PaymentStatus::Refunded,
            Self::Voided => PaymentStatus::Voided,
        }
    }
}

impl RejectionView {
    fn of(rejection: &Rejection) -> Self {
        let reason = match rejection.reason {
            RejectReason::OutOfStock => RejectReasonView::OutOfStock,
            RejectReason::PaymentDeclined => RejectReasonView::PaymentDeclined,
            RejectReason::PaymentUnresolved => RejectReasonView::PaymentUnresolved,
            RejectReason::TimedOut => RejectReasonView::TimedOut,
        };
        let shortages = rejection.shortages.iter().map(|shortage| ShortageView {
            variant_id: shortage.variant_id,
            requested: shortage.requested,
            available: shortage.available,
        });
        Self {
            reason,
            shortages: shortages.collect(),
            decline_code: rejection.decline_code.clone(),
        }
    }
}

impl OrderLineView {
    fn of(line: &OrderLine, currency: Currency) -> Self {
        let money = |amount| Money::new(amount, currency);
        Self {
            variant_id: line.variant_id,
            product_id: line.product_id,
            sku: line.sku.clone(),
            title: line.product_title.clone(),
            variant_title: line.variant_title.clone(),
            quantity: line.quantity,
            price: money(line.price_minor),
            amount: money(line.amount_minor),
            tax: money(line.tax_minor),
            tax_rate_percent: percent(line.rate_ppm),
            requires_shipping: line.requires_shipping,
        }
    }
}

fn shipping(chosen: &ChosenShipping) -> OrderShippingView {
    OrderShippingView { id: chosen.method_id, name: chosen.name.clone() }
}

fn happening(happening: &Happening, currency: Currency) -> HappeningView {
    let money = |amount: &i64| Some(Money::new(*amount, currency));
    let (event, amount) = match &happening.what {
        What::Placed => (HappeningKind::Placed, None),
        What::Confirmed => (HappeningKind::Confirmed, None),
        What::Rejected(_) => (HappeningKind::Rejected, None),
        What::Cancelled { .. } => (HappeningKind::Cancelled, None),
        What::PaymentVoided => (HappeningKind::PaymentVoided, None),
        What::PaymentCaptured { amount_minor } => {
            (HappeningKind::PaymentCaptured, money(amount_minor))
        }
        What::PaymentRefunded { amount_minor } => {
            (HappeningKind::PaymentRefunded, money(amount_minor))
        }
    };
    HappeningView { at: happening.at, event, amount }
}

fn cancellation(order: &Order) -> Option<CancellationView> {
    let Stage::Cancelled { reason, .. } = &order.stage else { return None };
    let by = order.timeline.iter().find_map(|happening| match &happening.what {
        What::Cancelled { by } => Some(by.clone()),
        _ => None,
    });
    Some(CancellationView { reason: reason.clone(), by })
}

fn erased(erased: &Erased) -> ErasedView {
    let region = |left: &Region| RegionView { country: left.country, region: left.region.clone() };
    ErasedView {
        at: erased.at,
        shipped_to: erased.shipped_to.as_ref().map(region),
        billed_to: erased.billed_to.as_ref().map(region),
    }
}

fn note(note: &Note) -> NoteView {
    let Note { id, text, by, at } = note.clone();
    NoteView { id, text, by, at }
}
