//! Payments for staff, newest first.

use platform::store::{Direction, Position, Query};

use super::{Error, Payments};
use crate::domain::{OrderId, Payment, PaymentId, Status};

/// What a list is narrowed down to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub status: Option<Status>,
    pub order_id: Option<OrderId>,
    /// Only those whose provider refuses to give back what a cancelled order holds.
    pub needs_attention: bool,
}

impl Payments {
    pub async fn list(
        &self,
        filter: Filter,
        limit: u32,
        after: Option<Position>,
    ) -> Result<(Vec<Payment>, Option<Position>), Error> {
        let mut query = Query::new(limit).order("created_at", Direction::Descending);
        if let Some(status) = filter.status {
            query = query.eq("status", status.as_str());
        }
        if let Some(order_id) = filter.order_id {
            query = query.eq("order_id", order_id.uuid());
        }
        if filter.needs_attention {
            query = query.gt("attention_since", 0_i64);
        }
        if let Some(after) = after {
            query = query.after(after);
        }
        let payments = self.executor.store().list::<Payment>(query).await?;
        let payments: Vec<Payment> = payments.into_iter().map(|payment| payment.state).collect();
        let next = payments.last().filter(|_| payments.len() == limit as usize).map(|last| {
            let id: PaymentId = last.id;
            Position { value: last.created_at.into(), id: id.uuid() }
        });
        Ok((payments, next))
    }
}
