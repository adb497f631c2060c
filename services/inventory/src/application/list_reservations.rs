//! What orders hold, newest first.

use platform::store::{Direction, Position, Query, Value, Versioned};

use super::list_levels::decode;
use super::{Error, Found, Inventory};
use crate::domain::{OrderId, Reservation};

impl Inventory {
    /// `status` is one of those that `Stage::as_str` gives.
    pub async fn list_reservations(
        &self,
        order: Option<OrderId>,
        status: Option<&'static str>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Found<Versioned<Reservation>>, Error> {
        let after = cursor.map(decode).transpose()?;
        if let Some(order) = order {
            let found = self.store().get::<Reservation>(order.uuid()).await?;
            let fits = |found: &Versioned<Reservation>| {
                status.is_none_or(|status| found.stage.as_str() == status) && after.is_none()
            };
            let items = found.into_iter().filter(fits).collect();
            return Ok(Found { items, next_cursor: None });
        }
        let mut query = Query::new(limit + 1).order("created_at", Direction::Descending);
        if let Some(status) = status {
            query = query.eq("status", status);
        }
        if let Some(after) = after {
            query = query.after(after);
        }
        let rows = self.store().list::<Reservation>(query).await?;
        let place = |row: &Versioned<Reservation>| Position {
            value: Value::from(row.created_at),
            id: row.id,
        };
        Ok(Found::page(rows, limit, |row| place(row).encode()))
    }
}
