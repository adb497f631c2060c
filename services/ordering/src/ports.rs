//! What ordering needs of the world, in its own words. Every call has the deadline of its context.

use async_trait::async_trait;
use kernel::{Business, Currency, ErrorKind, Locale, Money, Quantity, Timestamp};
use platform::Context;

use crate::domain::checkout::{RejectReason, Shortage};
use crate::domain::ids::{OrderId, PaymentId, VariantId};
use crate::domain::payment::PaymentToken;
use crate::domain::quote::Quotes;

/// A call brought no answer. What it asked for may have happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {detail}")]
pub struct NoAnswer {
    /// Who was asked.
    pub what: &'static str,
    pub kind: ErrorKind,
    pub detail: String,
}

impl Business for NoAnswer {
    fn kind(&self) -> ErrorKind {
        self.kind
    }
    fn slug(&self) -> &'static str {
        match self.kind {
            ErrorKind::DeadlineExceeded => "deadline-exceeded",
            ErrorKind::Internal => "internal",
            _ => "dependency-unavailable",
        }
    }
}

/// What things cost. Reads only.
#[async_trait]
pub trait Prices: Send + Sync + 'static {
    /// The quotes of at most 200 variants; those that do not exist are left out.
    async fn quote(
        &self,
        context: &Context,
        variants: &[VariantId],
        currency: Currency,
        locale: Option<&Locale>,
    ) -> Result<Quotes, NoAnswer>;
}

/// How many units of a variant an order takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockLine {
    pub variant_id: VariantId,
    pub quantity: Quantity,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reservation {
    Reserved,
    OutOfStock(Vec<Shortage>),
    /// The order's goods were released before; they cannot be reserved any more.
    AlreadyReleased,
}

/// Goods held for an order. Idempotent by order.
#[async_trait]
pub trait Stock: Send + Sync + 'static {
    /// All lines or none. Asked again it answers the same.
    async fn reserve(
        &self,
        context: &Context,
        order: OrderId,
        lines: &[StockLine],
        expires_at: Timestamp,
    ) -> Result<Reservation, NoAnswer>;

    /// Gives back what is held, or leaves a mark that refuses a late reservation.
    async fn release(&self, context: &Context, order: OrderId) -> Result<(), NoAnswer>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    Authorized(PaymentId),
    /// With the provider's stable reason.
    Declined(String),
    /// Not known yet. Asking again looks the outcome up; it never charges twice.
    Unknown,
    /// The order's payment was voided before; it cannot be authorized any more.
    AlreadyVoided,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voiding {
    /// It is certain that no money is or will be held for the order.
    Done,
    /// Ask again.
    Pending,
    /// The provider refuses to give it back for now. From here on it is payment's matter: it keeps
    /// asking, takes nothing more, and shows it to staff.
    Refused,
}

/// Money of buyers. Idempotent by order.
#[async_trait]
pub trait Payments: Send + Sync + 'static {
    async fn authorize(
        &self,
        context: &Context,
        order: OrderId,
        amount: Money,
        token: &PaymentToken,
    ) -> Result<Authorization, NoAnswer>;

    /// Gives back what is held, or leaves a mark that refuses a late authorization.
    async fn void(
        &self,
        context: &Context,
        order: OrderId,
        reason: RejectReason,
    ) -> Result<Voiding, NoAnswer>;
}
