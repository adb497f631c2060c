//! Fills the projections on SQLite, in the transaction of the change.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use kernel::{Currency, Locale};
use platform::store::{Change, SqliteProjection};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::row::{CATEGORY, Row, label, labels_of};
use super::sqlite_words::{self, Known};
use crate::domain::offer::Offer;
use crate::domain::{Availability, Category, Product};

/// Listing, prices, labels, search, offers and the category tree.
pub struct SqliteListingProjection {
    /// Titles are sorted in this locale.
    locale: Locale,
    known: Mutex<Known>,
}

impl SqliteListingProjection {
    pub fn new(locale: Locale) -> Self {
        Self { locale, known: Mutex::default() }
    }
}

impl SqliteProjection for SqliteListingProjection {
    fn apply(&self, tx: &Connection, changes: &[Change<'_>]) -> Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.begin(tx)?;
        for change in changes {
            let id = change.id.as_bytes().as_slice();
            match change.table {
                "product" => match change.state_of::<Product>() {
                    Some(product) => {
                        let new = change.version == 1;
                        write_offers(tx, id, product, new)?;
                        self.list(tx, &mut known, id, product, new)?;
                    }
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

/// What stands in the listing of a product.
struct Listed {
    row: i64,
    title_key: String,
    available: bool,
    words: i64,
    labels: String,
}

impl SqliteListingProjection {
    /// Writes only what has changed.
    fn list(
        &self,
        tx: &Connection,
        known: &mut Known,
        id: &[u8],
        product: &Product,
        new: bool,
    ) -> Result<()> {
        let listed = if new { None } else { listed(tx, id)? };
        if !product.is_published() {
            return listed.map_or(Ok(()), |listed| unlist(tx, &listed));
        }
        let entry = Row::of(product, &self.locale);
        let (hash, labels) = (entry.words.hash(), entry.labels_text());
        let Some(old) = listed else {
            let available = new || any_sellable(tx, id)?;
            tx.prepare_cached(
                "INSERT INTO product_listing (product_id, title_key, available, words, labels) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![id, entry.title_key, available, hash, labels])?;
            let row = tx.last_insert_rowid();
            sqlite_words::index(tx, known, row, &entry.words, false)?;
            write_prices(tx, row, &entry)?;
            return write_labels(tx, row, "", &labels);
        };
        let row = old.row;
        let available = any_sellable(tx, id)?;
        if (&old.title_key, old.available, old.words, &old.labels)
            != (&entry.title_key, available, hash, &labels)
        {
            tx.prepare_cached(
                "UPDATE product_listing SET title_key = ?2, available = ?3, words = ?4, \
                 labels = ?5 WHERE row = ?1",
            )?
            .execute(params![row, entry.title_key, available, hash, labels])?;
        }
        if old.words != hash {
            sqlite_words::index(tx, known, row, &entry.words, true)?;
        }
        if prices(tx, row)? != entry.prices {
            delete_prices(tx, row)?;
            write_prices(tx, row, &entry)?;
        }
        write_labels(tx, row, &old.labels, &labels)
    }
}

fn prices(tx: &Connection, row: i64) -> Result<BTreeMap<Currency, (i64, i64)>> {
    let mut statement = tx.prepare_cached(
        "SELECT currency, min_minor, max_minor FROM product_price WHERE row = ?1",
    )?;
    let mut rows = statement.query([row])?;
    let mut prices = BTreeMap::new();
    while let Some(row) = rows.next()? {
        if let Ok(currency) = row.get_ref(0)?.as_str()?.parse() {
            prices.insert(currency, (row.get(1)?, row.get(2)?));
        }
    }
    Ok(prices)
}

fn write_prices(tx: &Connection, row: i64, entry: &Row) -> Result<()> {
    let mut price = tx.prepare_cached(
        "INSERT INTO product_price (row, currency, min_minor, max_minor) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (currency, (min, max)) in &entry.prices {
        price.execute(params![row, currency.code(), min, max])?;
    }
    Ok(())
}

/// Takes out the labels that only the old text has, and adds those that only the new one has.
fn write_labels(tx: &Connection, row: i64, old: &str, new: &str) -> Result<()> {
    if old == new {
        return Ok(());
    }
    let set = |text| -> BTreeSet<(char, String)> {
        labels_of(text).map(|(kind, name)| (kind, label(name))).collect()
    };
    let (old, new) = (set(old), set(new));
    let mut letter = [0; 4];
    for (kind, label) in old.difference(&new) {
        tx.prepare_cached("DELETE FROM product_label WHERE kind = ?1 AND label = ?2 AND row = ?3")?
            .execute(params![&*kind.encode_utf8(&mut letter), label, row])?;
    }
    let mut insert =
        tx.prepare_cached("INSERT INTO product_label (kind, label, row) VALUES (?1, ?2, ?3)")?;
    for (kind, label) in new.difference(&old) {
        insert.execute(params![&*kind.encode_utf8(&mut letter), label, row])?;
    }
    Ok(())
}

/// Writes what changed of the offers; what inventory said of the variants stays.
fn write_offers(tx: &Connection, id: &[u8], product: &Product, new: bool) -> Result<()> {
    let mut known = if new { HashMap::new() } else { known_offers(tx, id)? };
    let mut upsert = tx.prepare_cached(
        "INSERT INTO variant_listing (variant_id, product_id, offer) VALUES (?1, ?2, ?3) \
         ON CONFLICT (variant_id) DO UPDATE \
         SET product_id = excluded.product_id, offer = excluded.offer",
    )?;
    let mut offer = String::new();
    for variant in &product.variants {
        let variant_id = variant.id.uuid().into_bytes();
        Offer::write(product, variant, &mut offer)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        if known.remove(&variant_id).is_none_or(|known| known != offer) {
            upsert.execute(params![variant_id.as_slice(), id, offer])?;
        }
    }
    for variant in known.keys() {
        tx.prepare_cached("DELETE FROM variant_listing WHERE variant_id = ?1")?
            .execute([variant.as_slice()])?;
    }
    Ok(())
}

fn known_offers(tx: &Connection, id: &[u8]) -> Result<HashMap<[u8; 16], String>> {
    let mut known =
        tx.prepare_cached("SELECT variant_id, offer FROM variant_listing WHERE product_id = ?1")?;
    known.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn listed(tx: &Connection, id: &[u8]) -> Result<Option<Listed>> {
    tx.prepare_cached(
        "SELECT row, title_key, available, words, labels FROM product_listing \
         WHERE product_id = ?1",
    )?
    .query_row([id], |row| {
        Ok(Listed {
            row: row.get(0)?,
            title_key: row.get(1)?,
            available: row.get(2)?,
            words: row.get(3)?,
            labels: row.get(4)?,
        })
    })
    .optional()
}

fn any_sellable(tx: &Connection, id: &[u8]) -> Result<bool> {
    tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM variant_listing WHERE product_id = ?1 AND sellable = 1)",
    )?
    .query_row([id], |row| row.get(0))
}

fn delete_prices(tx: &Connection, row: i64) -> Result<()> {
    tx.prepare_cached("DELETE FROM product_price WHERE row = ?1")?.execute([row])?;
    Ok(())
}

fn unlist(tx: &Connection, listed: &Listed) -> Result<()> {
    delete_prices(tx, listed.row)?;
    write_labels(tx, listed.row, &listed.labels, "")?;
    sqlite_words::forget(tx, listed.row)?;
    tx.prepare_cached("DELETE FROM product_listing WHERE row = ?1")?.execute([listed.row])?;
    Ok(())
}

fn forget_product(tx: &Connection, id: &[u8]) -> Result<()> {
    if let Some(listed) = listed(tx, id)? {
        unlist(tx, &listed)?;
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
        let title = serde_json::to_string(&category.title)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        tx.prepare_cached(
            "INSERT INTO category_node (id, parent, position, handle, title) \
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET \
             parent = excluded.parent, position = excluded.position, handle = excluded.handle, \
             title = excluded.title",
        )?
        .execute(params![
            id,
            parent.as_ref().map_or(&[][..], <[u8; 16]>::as_slice),
            category.position,
            category.handle.as_str(),
            title
        ])?;
    } else {
        tx.prepare_cached("DELETE FROM category_node WHERE id = ?1")?.execute([id])?;
        tx.prepare_cached("DELETE FROM product_label WHERE kind = ?1 AND label = ?2")?
            .execute(params![CATEGORY.to_string(), change.id.simple().to_string()])?;
    }
    Ok(())
}
