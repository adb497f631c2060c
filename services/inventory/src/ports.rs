//! What inventory needs of the world, in its own words. Every call has the deadline of its context.

use async_trait::async_trait;
use platform::Context;

use crate::domain::OrderId;

/// How an order stands, as far as its units are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Its checkout runs: it may still be confirmed.
    Undecided,
    /// It was sold. If inventory has not heard of it, the event is on its way.
    Confirmed,
    /// It was rejected or cancelled: it needs no units any more.
    Over,
    /// There is no such order.
    Absent,
}

/// A call brought no answer that can be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ordering: {0}")]
pub struct NoAnswer(pub String);

/// Those who know what became of an order. Reads only.
#[async_trait]
pub trait Orders: Send + Sync + 'static {
    /// What was committed before the call is seen.
    async fn state(&self, context: &Context, order: OrderId) -> Result<OrderState, NoAnswer>;
}
