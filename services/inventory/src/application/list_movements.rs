//! The ledger, newest first.

use platform::store::{Direction, Position, Query, Value, Versioned};

use super::list_levels::decode;
use super::{Error, Found, Inventory};
use crate::domain::{LocationId, Movement, VariantId};

impl Inventory {
    pub async fn list_movements(
        &self,
        variant: Option<VariantId>,
        location: Option<LocationId>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Found<Versioned<Movement>>, Error> {
        let mut query = Query::new(limit + 1).order("at", Direction::Descending);
        if let Some(variant) = variant {
            query = query.eq("variant_id", variant.uuid());
        }
        if let Some(location) = location {
            query = query.eq("location_id", location.uuid());
        }
        if let Some(cursor) = cursor {
            query = query.after(decode(cursor)?);
        }
        let rows = self.store().list::<Movement>(query).await?;
        let place = |row: &Versioned<Movement>| Position { value: Value::from(row.at), id: row.id };
        Ok(Found::page(rows, limit, |row| place(row).encode()))
    }
}
