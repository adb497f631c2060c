//! Lists and look-ups on SQLite.
//!
//! A list walks the index of its order and looks at each row until the page is full, so a page of a
//! common label costs what it shows. When some label is rare, its products are gathered first and sorted instead, so
//! a page of a rare one costs what the label has.

use kernel::Handle;
use kernel::id::Uuid;
use platform::store::{Position, Value};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Result, params_from_iter};

use super::lists::{self, RARE, Sets, Shape, has_labels, position, row_of};
use crate::domain::offer::{Offer, Offered};
use crate::domain::{CategoryId, ProductId, VariantId};
use crate::ports::{Filter, Hit, Sort};

/// A statement that grows.
#[derive(Default)]
pub(super) struct Sentence {
    pub sql: String,
    pub values: Vec<Sql>,
}

impl Sentence {
    pub fn add(&mut self, sql: &str, values: impl IntoIterator<Item = Sql>) {
        self.sql.push_str(sql);
        self.values.extend(values);
    }
}

/// The labels that a product must have.
pub(super) fn label_sets(connection: &Connection, filter: &Filter) -> Result<Sets> {
    let subtree = filter.category.map(|category| subtree(connection, category)).transpose()?;
    Ok(lists::label_sets(filter, subtree))
}

/// Conditions on `l` (product_listing) for everything but labels and the order.
pub(super) fn conditions(sentence: &mut Sentence, filter: &Filter) {
    if let Some(price) = &filter.price {
        sentence.add(
            " AND EXISTS (SELECT 1 FROM product_price y WHERE y.row = l.row AND y.currency = ? \
             AND y.min_minor BETWEEN ? AND ?)",
            [
                Sql::Text(price.currency.to_string()),
                Sql::Integer(price.min),
                Sql::Integer(price.max),
            ],
        );
    }
    if filter.available {
        sentence.add(" AND l.available = 1", []);
    }
}

pub(super) fn json<T: serde::Serialize>(values: &[T]) -> String {
    serde_json::to_string(values).unwrap_or_default()
}

pub(super) fn products(
    connection: &Connection,
    filter: &Filter,
    sort: Sort,
    after: Option<&Position>,
    limit: u32,
) -> Result<Vec<Hit>> {
    let sets = label_sets(connection, filter)?;
    let mut sentence = Sentence::default();
    let Shape { key, from, order } = lists::shape(sort);
    sentence
        .add(&format!("SELECT l.row, l.product_id, l.available, {key}, l.labels FROM {from}"), []);
    sentence.add(" WHERE 1", []);
    if let Some(currency) = lists::priced_in(sort) {
        sentence.add(" AND p.currency = ?", [Sql::Text(currency.to_string())]);
    }
    if let Some(rows) = gather(connection, &sets)? {
        sentence.add(" AND l.row IN (SELECT value FROM json_each(?))", [Sql::Text(json(&rows))]);
    }
    conditions(&mut sentence, filter);
    if let Some(after) = after {
        let row = Sql::Integer(row_of(after));
        match (sort, &after.value) {
            (Sort::Newest | Sort::Relevance, _) => sentence.add(" AND l.row < ?", [row]),
            (Sort::Title, Value::Text(title)) => {
                sentence.add(" AND (l.title_key, l.row) > (?, ?)", [Sql::Text(title.clone()), row]);
            }
            (Sort::PriceAsc(_), Value::Int(price)) => {
                sentence.add(" AND (p.min_minor, p.row) > (?, ?)", [Sql::Integer(*price), row]);
            }
            (Sort::PriceDesc(_), Value::Int(price)) => {
                sentence.add(" AND (p.min_minor, p.row) < (?, ?)", [Sql::Integer(*price), row]);
            }
            // A cursor of another order: there is nothing behind it.
            _ => return Ok(Vec::new()),
        }
    }
    sentence.add(&format!(" ORDER BY {order}"), []);
    if sets.is_empty() {
        sentence.add(" LIMIT ?", [Sql::Integer(i64::from(limit))]);
    }
    let mut statement = connection.prepare_cached(&sentence.sql)?;
    let mut rows = statement.query(params_from_iter(sentence.values))?;
    let mut hits = Vec::with_capacity(limit as usize);
    while hits.len() < limit as usize
        && let Some(row) = rows.next()?
    {
        if !has_labels(row.get_ref(4)?.as_str()?, &sets) {
            continue;
        }
        let number: i64 = row.get(0)?;
        let value = match row.get::<_, Sql>(3)? {
            Sql::Text(text) => Value::Text(text),
            Sql::Integer(number) => Value::Int(number),
            _ => Value::Null,
        };
        hits.push(Hit {
            product: ProductId::from_uuid(Uuid::from_bytes(row.get(1)?)),
            available: row.get(2)?,
            position: position(value, number),
        });
    }
    Ok(hits)
}

/// The rows of the rarest label set, when it is rare.
pub(super) fn gather(
    connection: &Connection,
    sets: &[(char, Vec<String>)],
) -> Result<Option<Vec<i64>>> {
    let mut best: Option<Vec<i64>> = None;
    for (kind, labels) in sets {
        let mut statement = connection.prepare_cached(
            "SELECT row FROM product_label WHERE kind = ?1 \
             AND label IN (SELECT value FROM json_each(?2)) LIMIT ?3",
        )?;
        let rows: Vec<i64> = statement
            .query_map((kind.to_string(), json(labels), RARE as i64 + 1), |row| row.get(0))?
            .collect::<Result<_>>()?;
        if rows.len() <= RARE && best.as_ref().is_none_or(|best| rows.len() < best.len()) {
            best = Some(rows);
        }
    }
    Ok(best)
}

/// A category and all below it.
fn subtree(connection: &Connection, category: CategoryId) -> Result<Vec<Uuid>> {
    let mut statement = connection.prepare_cached(lists::SUBTREE)?;
    let ids = statement.query_map([category.uuid().as_bytes().as_slice()], |row| {
        Ok(Uuid::from_bytes(row.get(0)?))
    })?;
    ids.collect()
}

pub(super) fn offers(connection: &Connection, variants: &[VariantId]) -> Result<Vec<Offered>> {
    let mut statement = connection
        .prepare_cached("SELECT product_id, offer FROM variant_listing WHERE variant_id = ?1")?;
    let mut offers = Vec::with_capacity(variants.len());
    for variant in variants {
        let found = statement
            .query_row([variant.uuid().as_bytes().as_slice()], |row| {
                let product: [u8; 16] = row.get(0)?;
                let offer: Offer =
                    serde_json::from_str(row.get_ref(1)?.as_str()?).map_err(|e| {
                        rusqlite::Error::FromSqlConversionFailure(
                            1,
                            rusqlite::types::Type::Text,
                            e.into(),
                        )
                    })?;
                let product = ProductId::from_uuid(Uuid::from_bytes(product));
                Ok(Offered { variant: *variant, product, offer })
            })
            .optional()?;
        offers.extend(found);
    }
    Ok(offers)
}

pub(super) fn by_handles(
    connection: &Connection,
    handles: &[Handle],
) -> Result<Vec<Option<ProductId>>> {
    let mut statement = connection.prepare_cached("SELECT id FROM product WHERE handle = ?1")?;
    let ids = handles.iter().map(|handle| {
        let id: Option<[u8; 16]> =
            statement.query_row([handle.as_str()], |row| row.get(0)).optional()?;
        Ok(id.map(|id| ProductId::from_uuid(Uuid::from_bytes(id))))
    });
    ids.collect()
}
