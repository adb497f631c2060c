//! What staff see of a payment.

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{
    CaptureId, Charge, Moment, Operation, OrderId, Payment, PaymentId, Progress, RefundId, Stage,
    Status,
};

/// A payment with everything that was made of it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct PaymentView {
    pub id: PaymentId,
    pub order_id: OrderId,
    pub provider: String,
    pub status: Status,
    /// What the order asked for. Absent when it was cancelled before it asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub captured: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refunded: Option<Money>,
    /// What a capture may still take.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub capturable: Option<Money>,
    /// What a refund may still give back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refundable: Option<Money>,
    /// The provider's reason, when it declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decline_code: Option<String>,
    /// The provider's name for the charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub provider_reference: Option<String>,
    /// Why the order is off: what is held goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cancelled_reason: Option<String>,
    /// A void was asked for and its outcome is not known yet.
    pub void_pending: bool,
    /// Since when the provider refuses to give back what a cancelled order holds. It is asked again,
    /// at `next_check_at`, but somebody should talk to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub attention_since: Option<Timestamp>,
    /// The provider's reason for refusing a void, the last time it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub void_failure_code: Option<String>,
    /// When the provider is asked next about what is outstanding.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_check_at: Option<Timestamp>,
    #[schema(max_items = 50)]
    pub captures: Vec<CaptureView>,
    /// At most 50 that staff asked for, and those by which a cancelled order gives back.
    #[schema(max_items = 101)]
    pub refunds: Vec<RefundView>,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineView>,
    pub created_at: Timestamp,
}

/// How far a capture or refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// The provider's answer is not known yet; it is looked up until it is. With a `failure_code` the
    /// provider refused, and is asked again because the order is cancelled.
    Pending,
    Done,
    /// The provider refused.
    Failed,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct CaptureView {
    pub id: CaptureId,
    pub payment_id: PaymentId,
    pub status: OperationStatus,
    pub amount: Money,
    /// The provider's reason, when it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub failure_code: Option<String>,
    /// Who asked for it.
    pub requested_by: String,
    pub requested_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub settled_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct RefundView {
    pub id: RefundId,
    pub payment_id: PaymentId,
    pub status: OperationStatus,
    pub amount: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The provider's reason, when it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub failure_code: Option<String>,
    /// Who asked for it.
    pub requested_by: String,
    pub requested_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub settled_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = PaymentTimelineView)]
pub struct TimelineView {
    pub at: Timestamp,
    pub what: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
}

fn progress<I>(operation: &Operation<I>) -> (OperationStatus, Option<String>, Option<Timestamp>) {
    match &operation.progress {
        Progress::Pending(_) => {
            let code = operation.refusal().map(|refused| refused.code.clone());
            (OperationStatus::Pending, code, None)
        }
        Progress::Done { at, .. } => (OperationStatus::Done, None, Some(*at)),
        Progress::Failed { at, code } => (OperationStatus::Failed, Some(code.clone()), Some(*at)),
    }
}

impl CaptureView {
    pub fn of(payment: &Payment, id: CaptureId) -> Option<Self> {
        let capture = payment.past_charge()?.captures.iter().find(|capture| capture.id == id)?;
        Some(Self::new(payment.id, capture))
    }

    pub fn is_pending(&self) -> bool {
        self.status == OperationStatus::Pending
    }

    fn new(payment_id: PaymentId, capture: &Operation<CaptureId>) -> Self {
        let (status, failure_code, settled_at) = progress(capture);
        Self {
            id: capture.id,
            payment_id,
            status,
            amount: capture.amount,
            failure_code,
            requested_by: capture.by.clone(),
            requested_at: capture.requested_at,
            settled_at,
        }
    }
}

impl RefundView {
    pub fn of(payment: &Payment, id: RefundId) -> Option<Self> {
        let refund = payment.past_charge()?.refunds.iter().find(|refund| refund.id == id)?;
        Some(Self::new(payment.id, refund))
    }

    pub fn is_pending(&self) -> bool {
        self.status == OperationStatus::Pending
    }

    fn new(payment_id: PaymentId, refund: &Operation<RefundId>) -> Self {
        let (status, failure_code, settled_at) = progress(refund);
        Self {
            id: refund.id,
            payment_id,
            status,
            amount: refund.amount,
            reason: refund.reason.clone(),
            failure_code,
            requested_by: refund.by.clone(),
            requested_at: refund.requested_at,
            settled_at,
        }
    }
}

impl PaymentView {
    pub fn of(payment: &Payment) -> Self {
        let charge = payment.past_charge();
        let decline_code = match &payment.stage {
            Stage::Declined { code, .. } => Some(code.clone()),
            _ => None,
        };
        let id = payment.id;
        Self {
            id,
            order_id: payment.order_id,
            provider: payment.provider.clone(),
            status: payment.status(),
            amount: payment.amount(),
            captured: charge.map(Charge::captured),
            refunded: charge.map(Charge::refunded),
            capturable: charge.map(Charge::capturable),
            refundable: charge.map(Charge::refundable),
            decline_code,
            provider_reference: payment.provider_reference().map(str::to_owned),
            cancelled_reason: payment.cancelled.as_ref().map(|c| c.reason.clone()),
            void_pending: charge
                .and_then(|charge| charge.void.as_ref())
                .is_some_and(Operation::is_pending),
            attention_since: payment.attention_since(),
            void_failure_code: charge.and_then(|charge| charge.void.as_ref()).and_then(|void| {
                void.refused
                    .as_ref()
                    .filter(|_| !void.is_done())
                    .map(|refused| refused.code.clone())
            }),
            next_check_at: payment.next_check_at(),
            captures: charge
                .map(|c| c.captures.iter().map(|capture| CaptureView::new(id, capture)).collect())
                .unwrap_or_default(),
            refunds: charge
                .map(|c| c.refunds.iter().map(|refund| RefundView::new(id, refund)).collect())
                .unwrap_or_default(),
            timeline: timeline(payment),
            created_at: payment.created_at,
        }
    }
}

/// That it was asked for is not stored: it follows from when it began.
fn timeline(payment: &Payment) -> Vec<TimelineView> {
    let asked = payment.amount().map(|amount| TimelineView {
        at: payment.created_at,
        what: Moment::Requested,
        amount: Some(amount),
        detail: None,
    });
    let since = payment.timeline.iter().map(|entry| TimelineView {
        at: entry.at,
        what: entry.what,
        amount: entry.amount,
        detail: entry.detail.clone(),
    });
    asked.into_iter().chain(since).collect()
}
