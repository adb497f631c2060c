//! Lists and look-ups on PostgreSQL.
//!
//! A list walks the index of its order in pieces until the page is full. When a label is rare, or
//! few products have a price within the bounds, those are gathered first and sorted instead. The
//! texts of the statements are made once, of few parts: an order, and whether the rows are known.

use std::sync::{Arc, LazyLock};

use kernel::Handle;
use kernel::id::Uuid;
use platform::store::postgres::sqlx::postgres::PgRow;
use platform::store::postgres::sqlx::{self, Row as _};
use platform::store::{Position, PostgresReader, StoreError, Value};

use super::super::lists::{
    RARE, SUBTREE, Sets, Shape, has_labels, label_sets, position, priced_in, row_of, shape,
};
use super::{Marks, fetch, only, undecoded, unreadable};
use crate::domain::offer::Offered;
use crate::domain::{ProductId, VariantId};
use crate::ports::{Filter, Hit, Sort};

/// The pieces of a walk grow up to this many rows.
const MAX_PIECE: i64 = 4_096;

/// Conditions on `l` (product_listing) for everything but labels and the order; the marks are
/// those of [`filtered`]. The price is looked up by its key and compared outside: nothing else is
/// left to a planner that would list all products within the bounds first, or for each row again.
pub(super) const CONDITIONS: &str = "l.available >= $1 AND ($2::text IS NULL OR ( \
     SELECT y.min_minor FROM product_price y WHERE y.row = l.row AND y.currency = $2) \
     BETWEEN $3 AND $4)";

/// The first four values of a statement with [`CONDITIONS`].
pub(super) fn filtered(filter: &Filter) -> Marks {
    let price = filter.price;
    Marks::default()
        .with(i64::from(filter.available))
        .with(price.map(|price| price.currency.to_string()))
        .with(price.map_or(0, |price| price.min))
        .with(price.map_or(0, |price| price.max))
}

/// `$5` is the row behind which the page begins, `$6` how many rows; then what stands before it in
/// the order, of prices also the currency and where they end; then the rows, if they are known.
fn page(sort: Sort, known: bool) -> String {
    let Shape { key, from, order } = shape(sort);
    let (behind, rows) = match sort {
        Sort::Newest | Sort::Relevance => ("l.row < $5", "$7"),
        Sort::Title => ("(l.title_key, l.row) > ($7, $5)", "$8"),
        Sort::PriceAsc(_) => {
            ("p.currency = $8 AND (p.min_minor, p.row) > ($7, $5) AND p.min_minor <= $9", "$10")
        }
        Sort::PriceDesc(_) => {
            ("p.currency = $8 AND (p.min_minor, p.row) < ($7, $5) AND p.min_minor >= $9", "$10")
        }
    };
    let among = if known { format!(" AND l.row = ANY ({rows})") } else { String::new() };
    format!(
        "SELECT l.row, l.product_id, l.available, {key}, l.labels FROM {from} \
         WHERE {behind} AND {CONDITIONS}{among} ORDER BY {order} LIMIT $6"
    )
}

/// With and without known rows.
type Pages = LazyLock<[String; 2]>;

fn pages(sort: Sort) -> [String; 2] {
    [page(sort, false), page(sort, true)]
}

fn statement(sort: Sort, known: bool) -> &'static str {
    use kernel::Currency;
    static NEWEST: Pages = LazyLock::new(|| pages(Sort::Newest));
    static TITLE: Pages = LazyLock::new(|| pages(Sort::Title));
    static CHEAPEST: Pages = LazyLock::new(|| pages(Sort::PriceAsc(Currency::EUR)));
    static DEAREST: Pages = LazyLock::new(|| pages(Sort::PriceDesc(Currency::EUR)));
    let pages = match sort {
        Sort::Newest | Sort::Relevance => &NEWEST,
        Sort::Title => &TITLE,
        Sort::PriceAsc(_) => &CHEAPEST,
        Sort::PriceDesc(_) => &DEAREST,
    };
    &pages[usize::from(known)]
}

/// Where a list begins when no cursor says so.
fn beginning(sort: Sort) -> (Value, i64) {
    match sort {
        Sort::Newest | Sort::Relevance => (Value::Null, i64::MAX),
        Sort::Title => (Value::Text(String::new()), i64::MIN),
        Sort::PriceAsc(_) => (Value::Int(i64::MIN), i64::MIN),
        Sort::PriceDesc(_) => (Value::Int(i64::MAX), i64::MAX),
    }
}

/// `None` for a cursor of another order, or one that was made up: there is nothing behind it.
fn place(sort: Sort, after: Option<&Position>) -> Option<(Value, i64)> {
    let Some(after) = after else { return Some(beginning(sort)) };
    match (sort, &after.value) {
        (Sort::Title, Value::Text(text)) if text.contains('\0') => None,
        (Sort::Newest | Sort::Relevance, _)
        | (Sort::Title, Value::Text(_))
        | (Sort::PriceAsc(_) | Sort::PriceDesc(_), Value::Int(_)) => {
            Some((after.value.clone(), row_of(after)))
        }
        _ => None,
    }
}

/// A list as it is asked for.
struct List {
    sort: Sort,
    /// Without the bounds of prices, where those are the ends of the walk.
    filter: Filter,
    behind: (Value, i64),
    /// The price behind which a list sorted by it ends.
    end: i64,
}

impl List {
    /// `None` when there is nothing behind the cursor.
    fn new(filter: &Filter, sort: Sort, after: Option<&Position>) -> Option<Self> {
        let behind = place(sort, after)?;
        let mut list = Self { sort, filter: filter.clone(), behind, end: i64::MAX };
        let bounds = filter.price.filter(|price| priced_in(sort) == Some(price.currency));
        match (sort, bounds) {
            (Sort::PriceAsc(_), Some(price)) => {
                list.behind = list.behind.max((Value::Int(price.min), i64::MIN));
                list.end = price.max;
            }
            (Sort::PriceDesc(_), Some(price)) => {
                list.behind = list.behind.min((Value::Int(price.max), i64::MAX));
                list.end = price.min;
            }
            (Sort::PriceDesc(_), None) => list.end = i64::MIN,
            _ => {}
        }
        if bounds.is_some() {
            list.filter.price = None;
        }
        Some(list)
    }

    fn marks(&self, piece: i64, known: Option<&[i64]>) -> Marks {
        let mut marks = filtered(&self.filter).with(self.behind.1).with(piece);
        match &self.behind.0 {
            Value::Text(text) if self.sort == Sort::Title => marks = marks.with(text.clone()),
            Value::Int(price) => {
                if let Some(currency) = priced_in(self.sort) {
                    marks = marks.with(*price).with(currency.to_string()).with(self.end);
                }
            }
            _ => {}
        }
        match known {
            Some(rows) => marks.with(rows.to_vec()),
            None => marks,
        }
    }

    /// The rows of what is rare among all that is asked for.
    async fn known(
        &self,
        reader: &PostgresReader,
        sets: &Sets,
    ) -> Result<Option<Vec<i64>>, StoreError> {
        let labelled = gather(reader, sets).await?;
        let Some(price) = self.filter.price.filter(|_| labelled.is_none()) else {
            return Ok(labelled);
        };
        let within = "SELECT ARRAY (SELECT row FROM product_price \
                      WHERE currency = $1 AND min_minor BETWEEN $2 AND $3 LIMIT $4)";
        let marks = Marks::default().with(price.currency.to_string());
        let marks = marks.with(price.min).with(price.max).with(RARE as i64 + 1);
        let rows: Vec<i64> = only(&fetch(reader, within, marks).await?, |row| row.try_get(0))?;
        Ok((rows.len() <= RARE).then_some(rows))
    }
}

pub(super) async fn products(
    reader: &PostgresReader,
    filter: &Filter,
    sort: Sort,
    after: Option<&Position>,
    limit: u32,
) -> Result<Vec<Hit>, StoreError> {
    let Some(mut list) = List::new(filter, sort, after) else { return Ok(Vec::new()) };
    let sets = sets(reader, filter).await?;
    let known = list.known(reader, &sets).await?;
    let sql = statement(sort, known.is_some());
    // Where labels are asked for, most rows may be passed over.
    let mut piece = i64::from(limit) * if sets.is_empty() { 1 } else { 8 };
    let mut hits = Vec::with_capacity(limit as usize);
    loop {
        let rows = fetch(reader, sql, list.marks(piece, known.as_deref())).await?;
        for row in &rows {
            let (hit, wanted) = hit(row, sort, &sets).map_err(undecoded)?;
            list.behind = (hit.position.value.clone(), row_of(&hit.position));
            if wanted {
                hits.push(hit);
            }
            if hits.len() == limit as usize {
                return Ok(hits);
            }
        }
        if (rows.len() as i64) < piece {
            return Ok(hits);
        }
        piece = (piece * 4).min(MAX_PIECE);
    }
}

/// A row, and whether it has the labels.
fn hit(row: &PgRow, sort: Sort, sets: &Sets) -> sqlx::Result<(Hit, bool)> {
    let value = match sort {
        Sort::Title => Value::Text(row.try_get(3)?),
        _ => Value::Int(row.try_get(3)?),
    };
    let hit = Hit {
        product: ProductId::from_uuid(row.try_get(1)?),
        available: row.try_get::<i64, _>(2)? == 1,
        position: position(value, row.try_get(0)?),
    };
    Ok((hit, has_labels(row.try_get(4)?, sets)))
}

/// The labels that a product must have.
pub(super) async fn sets(reader: &PostgresReader, filter: &Filter) -> Result<Sets, StoreError> {
    let Some(category) = filter.category else { return Ok(label_sets(filter, None)) };
    let rows = fetch(reader, SUBTREE, Marks::default().with(category.uuid())).await?;
    let ids = rows.iter().map(|row| row.try_get::<Uuid, _>(0));
    let ids = ids.collect::<sqlx::Result<_>>().map_err(undecoded)?;
    Ok(label_sets(filter, Some(ids)))
}

/// The rows of the rarest label set, when it is rare.
pub(super) async fn gather(
    reader: &PostgresReader,
    sets: &Sets,
) -> Result<Option<Vec<i64>>, StoreError> {
    let mut best: Option<Vec<i64>> = None;
    for (kind, labels) in sets {
        let labelled = "SELECT ARRAY (SELECT row FROM product_label \
                        WHERE kind = $1 AND label = ANY ($2) LIMIT $3)";
        let marks =
            Marks::default().with(kind.to_string()).with(labels.clone()).with(RARE as i64 + 1);
        let rows: Vec<i64> = only(&fetch(reader, labelled, marks).await?, |row| row.try_get(0))?;
        if rows.len() <= RARE && best.as_ref().is_none_or(|best| rows.len() < best.len()) {
            best = Some(rows);
        }
    }
    Ok(best)
}

pub(super) async fn offers(
    reader: &PostgresReader,
    variants: &[VariantId],
) -> Result<Vec<Arc<Offered>>, StoreError> {
    // How many are asked for is hidden from the planner, which would plan anew for each number.
    let offers = "SELECT v.variant_id, v.product_id, v.offer \
                  FROM unnest((SELECT $1::uuid[])) WITH ORDINALITY AS w (id, nth) \
                  JOIN variant_listing v ON v.variant_id = w.id ORDER BY w.nth";
    let ids: Vec<Uuid> = variants.iter().map(|variant| variant.uuid()).collect();
    let rows = fetch(reader, offers, Marks::default().with(ids)).await?;
    let offers = rows.iter().map(|row| {
        let variant = VariantId::from_uuid(row.try_get(0).map_err(undecoded)?);
        let product = ProductId::from_uuid(row.try_get(1).map_err(undecoded)?);
        let offer = serde_json::from_str(row.try_get(2).map_err(undecoded)?);
        let offer = offer.map_err(|error| unreadable("an offer", error))?;
        Ok(Arc::new(Offered { variant, product, offer }))
    });
    offers.collect()
}

pub(super) async fn by_handles(
    reader: &PostgresReader,
    handles: &[Handle],
) -> Result<Vec<Option<ProductId>>, StoreError> {
    let known = "SELECT p.id FROM unnest((SELECT $1::text[])) WITH ORDINALITY AS w (handle, nth) \
                 LEFT JOIN product p ON p.handle = w.handle ORDER BY w.nth";
    let handles: Vec<String> = handles.iter().map(|handle| handle.as_str().to_owned()).collect();
    let rows = fetch(reader, known, Marks::default().with(handles)).await?;
    let ids = rows.iter().map(|row| {
        let id: Option<Uuid> = row.try_get(0)?;
        Ok(id.map(ProductId::from_uuid))
    });
    ids.collect::<sqlx::Result<_>>().map_err(undecoded)
}
