//! Fills the projections on SQLite, in the transaction of the change.

use kernel::Locale;
use platform::store::{Change, SqliteProjection};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::row::{CATEGORY, Row};
use crate::domain::offer::Offer;
use crate::domain::{Availability, Category, Product, VariantId};

/// Listing, prices, labels, search, offers and the category tree.
pub struct SqliteListingProjection {
    /// Titles are sorted in this locale.
    pub locale: Locale,
}

impl SqliteProjection for SqliteListingProjection {
    fn apply(&self, tx: &Connection, changes: &[Change<'_>]) -> Result<()> {
        for change in changes {
            let id = change.id.as_bytes().as_slice();
            match change.table {
                "product" => match change.state_of::<Product>() {
                    Some(product) => self.product(tx, id, product, change.version == 1)?,
                    None => forget_product(tx, id)?,
                },
                "availability" => {
                    if let Some(availability) = change.state_of::<Availability>() {
                        note_availability(tx, id, availability)?;
                    }
                }
                "category" => note_category(tx, change)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl SqliteListingProjection {
    fn product(&self, tx: &Connection, id: &[u8], product: &Product, new: bool) -> Result<()> {
        write_offers(tx, id, product, new)?;
        let listed = if new { None } else { listed(tx, id)? };
        if !product.is_published() {
            return listed.map_or(Ok(()), |(row, _)| unlist(tx, row));
        }
        let entry = Row::of(product, &self.locale);
        let hash = entry.words.hash();
        let available = new || any_sellable(tx, id)?;
        if let Some((row, words)) = listed {
            tx.prepare_cached(
                "UPDATE product_listing SET title_key = ?2, available = ?3, words = ?4 \
                 WHERE row = ?1",
            )?
            .execute(params![row, entry.title_key, available, hash])?;
            delete_of(tx, "product_price", row)?;
            delete_of(tx, "product_label", row)?;
            if words != hash {
                index_words(tx, row, &entry, true)?;
            }
            return write_entry(tx, row, &entry);
        }
        tx.prepare_cached(
            "INSERT INTO product_listing (product_id, title_key, available, words) \
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![id, entry.title_key, available, hash])?;
        let row = tx.last_insert_rowid();
        index_words(tx, row, &entry, false)?;
        write_entry(tx, row, &entry)
    }
}

fn write_entry(tx: &Connection, row: i64, entry: &Row) -> Result<()> {
    let mut price = tx.prepare_cached(
        "INSERT INTO product_price (row, currency, min_minor, max_minor) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (currency, (min, max)) in &entry.prices {
        price.execute(params![row, currency.code(), min, max])?;
    }
    let mut label = tx.prepare_cached(
        "INSERT INTO product_label (kind, label, row, name) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT DO NOTHING",
    )?;
    for (kind, folded, name) in &entry.labels {
        label.execute(params![kind.to_string(), folded, row, name])?;
    }
    Ok(())
}

fn index_words(tx: &Connection, row: i64, entry: &Row, again: bool) -> Result<()> {
    if again {
        tx.prepare_cached("DELETE FROM product_search WHERE rowid = ?1")?.execute([row])?;
    }
    let words = &entry.words;
    tx.prepare_cached(
        "INSERT INTO product_search (rowid, title, sku, label, description) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![row, words.title, words.sku, words.label, words.description])?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO search_word (letters, word) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?;
    for word in words.vocabulary() {
        insert.execute(params![word.chars().count() as i64, word])?;
    }
    Ok(())
}

/// Writes what changed of the offers; what inventory said of the variants stays.
fn write_offers(tx: &Connection, id: &[u8], product: &Product, new: bool) -> Result<()> {
    if !new {
        let mut known =
            tx.prepare_cached("SELECT variant_id FROM variant_listing WHERE product_id = ?1")?;
        let known: Vec<[u8; 16]> =
            known.query_map([id], |row| row.get(0))?.collect::<Result<_>>()?;
        for variant in known {
            let variant_id = VariantId::from_uuid(kernel::id::Uuid::from_bytes(variant));
            if product.variant(variant_id).is_none() {
                tx.prepare_cached("DELETE FROM variant_listing WHERE variant_id = ?1")?
                    .execute([variant.as_slice()])?;
            }
        }
    }
    let mut upsert = tx.prepare_cached(
        "INSERT INTO variant_listing (variant_id, product_id, offer) VALUES (?1, ?2, ?3) \
         ON CONFLICT (variant_id) DO UPDATE \
         SET product_id = excluded.product_id, offer = excluded.offer \
         WHERE offer <> excluded.offer OR product_id <> excluded.product_id",
    )?;
    for variant in &product.variants {
        let offer = serde_json::to_string(&Offer::of(product, variant))
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        upsert.execute(params![variant.id.uuid().as_bytes().as_slice(), id, offer])?;
    }
    Ok(())
}

fn listed(tx: &Connection, id: &[u8]) -> Result<Option<(i64, i64)>> {
    tx.prepare_cached("SELECT row, words FROM product_listing WHERE product_id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

fn any_sellable(tx: &Connection, id: &[u8]) -> Result<bool> {
    tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM variant_listing WHERE product_id = ?1 AND sellable = 1)",
    )?
    .query_row([id], |row| row.get(0))
}

fn delete_of(tx: &Connection, table: &str, row: i64) -> Result<()> {
    tx.prepare_cached(&format!("DELETE FROM {table} WHERE row = ?1"))?.execute([row])?;
    Ok(())
}

fn unlist(tx: &Connection, row: i64) -> Result<()> {
    for table in ["product_price", "product_label", "product_listing"] {
        delete_of(tx, table, row)?;
    }
    tx.prepare_cached("DELETE FROM product_search WHERE rowid = ?1")?.execute([row])?;
    Ok(())
}

fn forget_product(tx: &Connection, id: &[u8]) -> Result<()> {
    if let Some((row, _)) = listed(tx, id)? {
        unlist(tx, row)?;
    }
    tx.prepare_cached("DELETE FROM variant_listing WHERE product_id = ?1")?.execute([id])?;
    Ok(())
}

/// Most levels change nothing that is shown; then only the variant's row is looked at.
fn note_availability(tx: &Connection, id: &[u8], availability: &Availability) -> Result<()> {
    let changed = tx
        .prepare_cached(
            "UPDATE variant_listing SET sellable = ?2 WHERE variant_id = ?1 AND sellable <> ?2 \
             RETURNING product_id",
        )?
        .query_row(params![id, availability.sellable()], |row| row.get::<_, [u8; 16]>(0))
        .optional()?;
    let Some(product) = changed else { return Ok(()) };
    let available = any_sellable(tx, &product)?;
    tx.prepare_cached(
        "UPDATE product_listing SET available = ?2 WHERE product_id = ?1 AND available <> ?2",
    )?
    .execute(params![product.as_slice(), available])?;
    Ok(())
}

fn note_category(tx: &Connection, change: &Change<'_>) -> Result<()> {
    let id = change.id.as_bytes().as_slice();
    if let Some(category) = change.state_of::<Category>() {
        let parent = category.parent.map(|parent| parent.uuid().into_bytes());
        tx.prepare_cached(
            "INSERT INTO category_node (id, parent) VALUES (?1, ?2) \
             ON CONFLICT (id) DO UPDATE SET parent = excluded.parent",
        )?
        .execute(params![id, parent])?;
    } else {
        tx.prepare_cached("DELETE FROM category_node WHERE id = ?1")?.execute([id])?;
        tx.prepare_cached("DELETE FROM product_label WHERE kind = ?1 AND label = ?2")?
            .execute(params![CATEGORY.to_string(), change.id.simple().to_string()])?;
    }
    Ok(())
}
