//! What lies where, by page.

use kernel::Sku;
use kernel::id::Uuid;
use platform::store::{Direction, Position, Query, Value, Versioned};

use super::reach::Reach;
use super::{Error, Found, Inventory};
use crate::domain::{LocationId, Stock, VariantId};

/// What must all hold.
#[derive(Clone, Debug, Default)]
pub struct LevelFilter {
    pub variant: Option<VariantId>,
    pub location: Option<LocationId>,
    pub sku: Option<Sku>,
    /// Only those at or below their threshold, the emptiest first.
    pub low_only: bool,
}

impl Inventory {
    /// By stock id, or by available units when only low ones are asked for.
    pub async fn list_levels(
        &self,
        filter: &LevelFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Found<Versioned<Stock>>, Error> {
        let after = cursor.map(decode).transpose()?;
        if let Some(variant) = filter.variant {
            return self.levels_of(variant, filter, limit, after).await;
        }
        let mut query = Query::new(limit + 1);
        if let Some(location) = filter.location {
            query = query.eq("location_id", location.uuid());
        }
        if let Some(sku) = &filter.sku {
            query = query.eq("sku", sku.as_str());
        }
        if filter.low_only {
            // Null where stock is not low, so the comparison picks the low ones, from an index.
            query =
                query.le("low_available", i64::MAX).order("low_available", Direction::Ascending);
        }
        if let Some(after) = after {
            query = query.after(after);
        }
        let rows = self.store().list::<Stock>(query).await?;
        Ok(Found::page(rows, limit, |row| place_of(row, filter.low_only)))
    }

    /// One variant has few rows, and their ids are known.
    async fn levels_of(
        &self,
        variant: VariantId,
        filter: &LevelFilter,
        limit: u32,
        after: Option<Position>,
    ) -> Result<Found<Versioned<Stock>>, Error> {
        let homes = self.homes(&[variant]).await?;
        let places = self.places(true).await?;
        let reach = Reach::of_homes([variant], &homes, &places);
        let ids: Vec<Uuid> = reach.rows(variant).iter().map(|row| row.id).collect();
        let mut rows = self.store().get_many::<Stock>(&ids).await?;
        let order =
            |row: &Versioned<Stock>| (if filter.low_only { row.available() } else { 0 }, row.id);
        let start = after.map(|after| match after.value {
            Value::Int(available) if filter.low_only => (available, after.id),
            _ => (0, after.id),
        });
        rows.retain(|row| {
            filter.location.is_none_or(|location| row.location() == location)
                && filter.sku.as_ref().is_none_or(|sku| row.sku.as_ref() == Some(sku))
                && (!filter.low_only || row.is_low())
                && start.is_none_or(|start| order(row) > start)
        });
        rows.sort_by_key(order);
        Ok(Found::page(rows, limit, |row| place_of(row, filter.low_only)))
    }
}

fn place_of(row: &Versioned<Stock>, low_only: bool) -> String {
    let value = if low_only { Value::Int(row.available()) } else { Value::Null };
    Position { value, id: row.id }.encode()
}

/// A cursor that one of our lists gave out.
pub(super) fn decode(cursor: &str) -> Result<Position, Error> {
    Position::decode(cursor)
        .ok_or_else(|| Error::invalid("cursor", "is not a next_cursor of this list"))
}
