//! Reads orders: one, or a list by stored states.

use kernel::Timestamp;
use platform::Context;
use platform::store::{Direction, Position, Query};

use super::app::{App, Seen, SeenOrder, customer};
use super::error::Error;
use crate::domain::payment::PaymentStatus;
use crate::domain::{Access, CustomerId, Order, OrderId, Refusal};

/// Which orders; all conditions hold.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    pub status: Option<&'static str>,
    pub payment_status: Option<PaymentStatus>,
    pub number: Option<u64>,
    pub customer: Option<CustomerId>,
    pub placed_after: Option<Timestamp>,
    pub placed_before: Option<Timestamp>,
}

/// Some orders, newest first, and where to go on.
pub struct OrderPage {
    pub orders: Vec<SeenOrder>,
    pub next: Option<Position>,
}

impl App {
    /// For its buyer. Somebody else's order does not exist.
    pub async fn get_order(&self, access: &Access, id: OrderId) -> Result<SeenOrder, Error> {
        let order = self.read_order(id).await?;
        order.state.visible(access)?;
        Ok(order)
    }

    /// For staff and other services.
    pub async fn read_order(&self, id: OrderId) -> Result<SeenOrder, Error> {
        let row = self.executor.store().get::<Order>(id.uuid()).await?;
        let row = row.ok_or(Refusal::OrderNotFound)?;
        Ok(Seen { id, version: row.version, state: row.state })
    }

    /// The signed-in customer's own.
    pub async fn my_orders(
        &self,
        context: &Context,
        limit: u32,
        after: Option<Position>,
    ) -> Result<OrderPage, Error> {
        let customer = Some(customer(context).ok_or(Refusal::NotSignedIn)?);
        self.list_orders(OrderFilter { customer, ..OrderFilter::default() }, limit, after).await
    }

    pub async fn list_orders(
        &self,
        filter: OrderFilter,
        limit: u32,
        after: Option<Position>,
    ) -> Result<OrderPage, Error> {
        let mut query = Query::new(limit).order("placed_at", Direction::Descending);
        if let Some(status) = filter.status {
            query = query.eq("status", status);
        }
        if let Some(status) = filter.payment_status {
            query = query.eq("payment_status", status.name());
        }
        if let Some(number) = filter.number {
            query = query.eq("number", i64::try_from(number).unwrap_or(i64::MAX));
        }
        if let Some(customer) = filter.customer {
            query = query.eq("customer_id", customer.uuid());
        }
        if let Some(time) = filter.placed_after {
            query = query.gt("placed_at", time);
        }
        if let Some(time) = filter.placed_before {
            query = query.lt("placed_at", time);
        }
        if let Some(position) = after {
            query = query.after(position);
        }
        let rows = self.executor.store().list::<Order>(query).await?;
        let full = rows.len() == limit as usize;
        let next = rows
            .last()
            .filter(|_| full)
            .map(|last| Position { value: last.state.placed_at.into(), id: last.id });
        let seen = |row: platform::store::Versioned<Order>| Seen {
            id: OrderId::from(row.id),
            version: row.version,
            state: row.state,
        };
        Ok(OrderPage { orders: rows.into_iter().map(seen).collect(), next })
    }
}
