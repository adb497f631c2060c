//! The listing of published products, written on PostgreSQL: only what has changed.

use std::collections::{BTreeMap, HashMap, HashSet};

use kernel::Locale;
use kernel::id::Uuid;
use platform::store::postgres::sqlx::{self, PgConnection, Row as _};

use super::super::row::{Row, Words};
use super::labels::{Labels, Prices, Ranges};
use super::offers;
use super::words::Documents;
use crate::domain::Product;

/// A product that a batch changed.
pub(super) struct Subject<'a> {
    pub id: Uuid,
    /// `None` when deleted.
    pub product: Option<&'a Product>,
    /// Nothing is known of it yet.
    pub new: bool,
}

/// What stands in the listing of a product.
struct Listed {
    row: i64,
    title_key: String,
    available: bool,
    words: i64,
    labels: String,
    prices: Ranges,
}

/// Writes all that is kept of these products; answers the words that were indexed.
pub(super) async fn write(
    tx: &mut PgConnection,
    subjects: &[Subject<'_>],
    locale: &Locale,
) -> sqlx::Result<Vec<Words>> {
    offers::write(tx, subjects).await?;
    let old: Vec<Uuid> = subjects.iter().filter(|s| !s.new).map(|s| s.id).collect();
    let mut listed = listed(tx, &old).await?;
    let sellable = sellable(tx, &old).await?;
    let mut plan = Plan::default();
    for (at, subject) in subjects.iter().enumerate() {
        let before = listed.remove(&subject.id);
        let product = subject.product.filter(|product| product.is_published());
        let entry = product.map(|product| Row::of(product, locale));
        let available = subject.new || sellable.contains(&subject.id);
        match (before, entry) {
            (None, None) => {}
            (Some(before), None) => plan.unlist(&before),
            (None, Some(entry)) => plan.fresh.push(at, subject.id, available, entry),
            (Some(before), Some(entry)) => plan.change(at, before, available, entry),
        }
    }
    plan.write(tx).await
}

async fn listed(tx: &mut PgConnection, old: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Listed>> {
    let mut listed = HashMap::with_capacity(old.len());
    if old.is_empty() {
        return Ok(listed);
    }
    let found = sqlx::query(
        "SELECT product_id, row, title_key, available, words, labels FROM product_listing \
         WHERE product_id = ANY ($1)",
    );
    for row in found.bind(old).fetch_all(&mut *tx).await? {
        let known = Listed {
            row: row.try_get(1)?,
            title_key: row.try_get(2)?,
            available: row.try_get::<i64, _>(3)? == 1,
            words: row.try_get(4)?,
            labels: row.try_get(5)?,
            prices: Ranges::new(),
        };
        listed.insert(row.try_get::<Uuid, _>(0)?, known);
    }
    if listed.is_empty() {
        return Ok(listed);
    }
    let found = sqlx::query(
        "SELECT l.product_id, p.currency, p.min_minor, p.max_minor FROM product_listing l \
         JOIN product_price p ON p.row = l.row WHERE l.product_id = ANY ($1)",
    );
    for row in found.bind(old).fetch_all(tx).await? {
        let known = listed.get_mut(&row.try_get::<Uuid, _>(0)?);
        if let (Some(known), Ok(currency)) = (known, row.try_get::<&str, _>(1)?.parse()) {
            known.prices.insert(currency, (row.try_get(2)?, row.try_get(3)?));
        }
    }
    Ok(listed)
}

/// Those of which some variant can be sold.
async fn sellable(tx: &mut PgConnection, old: &[Uuid]) -> sqlx::Result<HashSet<Uuid>> {
    if old.is_empty() {
        return Ok(HashSet::new());
    }
    let found = sqlx::query(
        "SELECT DISTINCT product_id FROM variant_listing \
         WHERE product_id = ANY ($1) AND sellable = 1",
    );
    found.bind(old).fetch_all(tx).await?.iter().map(|row| row.try_get(0)).collect()
}

/// Columns of "product_listing".
#[derive(Default)]
struct Columns {
    titles: Vec<String>,
    available: Vec<i64>,
    words: Vec<i64>,
    labels: Vec<String>,
}

impl Columns {
    fn push(&mut self, title: String, available: bool, words: i64, labels: String) {
        self.titles.push(title);
        self.available.push(available.into());
        self.words.push(words);
        self.labels.push(labels);
    }
}

/// Products that were not listed before, with their places in the batch.
#[derive(Default)]
struct Fresh {
    places: Vec<usize>,
    ids: Vec<Uuid>,
    columns: Columns,
    entries: Vec<Row>,
}

impl Fresh {
    fn push(&mut self, at: usize, id: Uuid, available: bool, mut entry: Row) {
        let title = std::mem::take(&mut entry.title_key);
        self.places.push(at);
        self.ids.push(id);
        self.columns.push(title, available, entry.words.hash(), entry.labels_text());
        self.entries.push(entry);
    }
}

/// What is to be written.
#[derive(Default)]
struct Plan {
    fresh: Fresh,
    changed: Vec<i64>,
    columns: Columns,
    gone: Vec<i64>,
    documents: Documents,
    prices: Prices,
    labels: Labels,
    /// By place in the batch: in its order they are learned.
    words: BTreeMap<usize, Words>,
}

impl Plan {
    fn unlist(&mut self, before: &Listed) {
        self.gone.push(before.row);
        self.documents.forget(before.row);
        self.prices.clear(before.row);
        self.labels.change(before.row, &before.labels, "");
    }

    fn change(&mut self, at: usize, before: Listed, available: bool, entry: Row) {
        let row = before.row;
        let (hash, labels) = (entry.words.hash(), entry.labels_text());
        self.labels.change(row, &before.labels, &labels);
        if before.prices != entry.prices {
            self.prices.clear(row);
            self.prices.add(row, &entry.prices);
        }
        if (&before.title_key, before.available, before.words, &before.labels)
            != (&entry.title_key, available, hash, &labels)
        {
            self.changed.push(row);
            self.columns.push(entry.title_key, available, hash, labels);
        }
        if before.words != hash {
            self.documents.put(row, &entry.words, true);
            self.words.insert(at, entry.words);
        }
    }

    async fn write(mut self, tx: &mut PgConnection) -> sqlx::Result<Vec<Words>> {
        self.list(tx).await?;
        if !self.changed.is_empty() {
            sqlx::query(
                "UPDATE product_listing AS l SET title_key = w.title_key, \
                 available = w.available, words = w.words, labels = w.labels \
                 FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[]) \
                 AS w (row, title_key, available, words, labels) WHERE l.row = w.row",
            )
            .bind(self.changed)
            .bind(self.columns.titles)
            .bind(self.columns.available)
            .bind(self.columns.words)
            .bind(self.columns.labels)
            .execute(&mut *tx)
            .await?;
        }
        self.documents.write(tx).await?;
        self.prices.write(tx).await?;
        self.labels.write(tx).await?;
        if !self.gone.is_empty() {
            let delete = sqlx::query("DELETE FROM product_listing WHERE row = ANY ($1)");
            delete.bind(self.gone).execute(tx).await?;
        }
        Ok(self.words.into_values().collect())
    }

    /// Gives fresh products their rows, in the order of the batch.
    async fn list(&mut self, tx: &mut PgConnection) -> sqlx::Result<()> {
        let Fresh { places, ids, columns, entries } = std::mem::take(&mut self.fresh);
        if ids.is_empty() {
            return Ok(());
        }
        let found = sqlx::query(
            "INSERT INTO product_listing (product_id, title_key, available, words, labels) \
             SELECT product_id, title_key, available, words, labels \
             FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::text[]) \
             WITH ORDINALITY AS w (product_id, title_key, available, words, labels, nth) \
             ORDER BY nth RETURNING product_id, row",
        )
        .bind(&ids)
        .bind(columns.titles)
        .bind(columns.available)
        .bind(columns.words)
        .bind(&columns.labels)
        .fetch_all(tx)
        .await?;
        let mut rows = HashMap::with_capacity(found.len());
        for row in found {
            rows.insert(row.try_get::<Uuid, _>(0)?, row.try_get::<i64, _>(1)?);
        }
        let places = places.into_iter().zip(&ids);
        for (((at, id), labels), entry) in places.zip(&columns.labels).zip(entries) {
            let row = *rows.get(id).ok_or(sqlx::Error::RowNotFound)?;
            self.documents.put(row, &entry.words, false);
            self.prices.add(row, &entry.prices);
            self.labels.change(row, "", labels);
            self.words.insert(at, entry.words);
        }
        Ok(())
    }
}
