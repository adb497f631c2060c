//! The payment of an order, from the first request to the last refund.

use std::fmt;

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Attempt, Charge, OrderId, PaymentId, PaymentToken};

/// The money of one order. There is at most one payment an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub id: PaymentId,
    pub order_id: OrderId,
    /// The name of the provider that has the money.
    pub provider: String,
    pub stage: Stage,
    /// Set once and for all when the order is off: whatever is held goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<Cancelled>,
    /// What happened, oldest first. Bounded, as the operations are.
    #[serde(default)]
    pub timeline: Vec<TimelineEntry>,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    pub at: Timestamp,
    pub reason: String,
}

/// The life cycle. Each stage carries only what is true in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The provider is being asked, or its answer is not final.
    Pending(Request),
    Authorized(Charge),
    Declined {
        amount: Money,
        code: String,
    },
    /// Nothing is held. Without an amount it is the mark of a cancel that came before its try.
    Voided {
        amount: Option<Money>,
        /// What there was, once it is given back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        charge: Option<Charge>,
        /// The provider never saw our request when we looked, but it may be late on its way: look
        /// once more, and give back what turns up.
        watch: Option<Attempt>,
    },
}

/// A request for an authorization without a final answer. The token goes when the answer comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub amount: Money,
    pub token: PaymentToken,
    pub doubt: Doubt,
    pub attempt: Attempt,
}

/// Why an answer is not final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The request is on its way for the first time.
    Asking,
    /// The provider has it and takes its time.
    Processing,
    /// The provider did not answer, or not clearly.
    Unknown,
}

/// The stage in one word, as it is stored and filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentStatus)]
pub enum Status {
    Pending,
    Unknown,
    Authorized,
    Declined,
    Voided,
    PartiallyCaptured,
    Captured,
    PartiallyRefunded,
    Refunded,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Authorized => "authorized",
            Self::Declined => "declined",
            Self::Voided => "voided",
            Self::PartiallyCaptured => "partially_captured",
            Self::Captured => "captured",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One line of a payment's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    pub at: Timestamp,
    pub what: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentMoment)]
pub enum Moment {
    Requested,
    Processing,
    OutcomeUnknown,
    Authorized,
    Declined,
    Cancelled,
    VoidRequested,
    Voided,
    /// What was not captured went back.
    Released,
    VoidRefused,
    CaptureRequested,
    Captured,
    CaptureFailed,
    RefundRequested,
    Refunded,
    RefundFailed,
    /// A charge turned up after the payment was given up.
    LateCharge,
    /// It went back.
    LateChargeVoided,
}

impl Payment {
    pub fn status(&self) -> Status {
        match &self.stage {
            Stage::Pending(request) if request.doubt == Doubt::Unknown => Status::Unknown,
            Stage::Pending(_) => Status::Pending,
            Stage::Authorized(charge) => charge.status(),
            Stage::Declined { .. } => Status::Declined,
            Stage::Voided { .. } => Status::Voided,
        }
    }

    /// What the order is to pay; `None` for the mark of an early cancel.
    pub const fn amount(&self) -> Option<Money> {
        match &self.stage {
            Stage::Pending(request) => Some(request.amount),
            Stage::Authorized(charge) => Some(charge.authorized),
            Stage::Declined { amount, .. } => Some(*amount),
            Stage::Voided { amount, .. } => *amount,
        }
    }

    /// The provider's name for the charge, when there is one.
    pub fn provider_reference(&self) -> Option<&str> {
        match &self.stage {
            Stage::Authorized(charge) | Stage::Voided { charge: Some(charge), .. } => {
                charge.reference.as_deref()
            }
            _ => None,
        }
    }

    /// The authorization, while there is one.
    pub const fn charge(&self) -> Option<&Charge> {
        match &self.stage {
            Stage::Authorized(charge) => Some(charge),
            _ => None,
        }
    }

    /// The authorization, even when it was given back.
    pub const fn past_charge(&self) -> Option<&Charge> {
        match &self.stage {
            Stage::Authorized(charge) | Stage::Voided { charge: Some(charge), .. } => Some(charge),
            _ => None,
        }
    }

    pub(super) fn note(
        &mut self,
        at: Timestamp,
        what: Moment,
        amount: Option<Money>,
        detail: Option<&str>,
    ) {
        self.timeline.push(TimelineEntry { at, what, amount, detail: detail.map(str::to_owned) });
    }
}
