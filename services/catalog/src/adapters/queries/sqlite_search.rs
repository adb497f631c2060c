//! Search on SQLite's FTS5: all words of the query, or words that begin with them; then, if those
//! find little, words of the vocabulary that are a typing error away.

use std::collections::HashMap;

use kernel::Currency;
use kernel::id::Uuid;
use platform::store::{Position, Value};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Result, params_from_iter};

use super::row::{CATEGORY, TAG, VENDOR};
use super::sqlite_list::{Sentence, conditions, label_sets, position};
use crate::domain::text::{MAX_QUERY_WORDS, distance, tolerance, words};
use crate::domain::{CategoryId, ProductId};
use crate::ports::{Facet, Facets, Filter, Found, Hit, MAX_FACET_VALUES, MAX_MATCHES, Sort};

/// Fewer matches than this make us think of typing errors.
const FEW: usize = 20;
/// A vocabulary is looked through up to this many words of fitting length.
const MAX_VOCABULARY: i64 = 50_000;
/// The closest words of the vocabulary that stand in for a mistyped one.
const ALTERNATIVES: usize = 8;
/// Ranks are kept as whole numbers of millionths; better ones are smaller.
const RANK_SCALE: f64 = 1e6;
/// Added to the rank of matches that are only close.
const CLOSE: i64 = 1 << 50;

pub(super) struct Search<'a> {
    pub filter: &'a Filter,
    pub sort: Sort,
    pub currency: Currency,
    pub limit: u32,
}

struct Match {
    row: i64,
    product: ProductId,
    available: bool,
    key: Value,
}

impl Search<'_> {
    pub fn run(
        &self,
        connection: &Connection,
        query: &str,
        after: Option<&Position>,
    ) -> Result<Found> {
        let words: Vec<String> = words(query).take(MAX_QUERY_WORDS).collect();
        if words.is_empty() {
            let facets = after.is_none().then(|| Facets { exact: true, ..Facets::default() });
            return Ok(Found { hits: Vec::new(), facets });
        }
        let sets = label_sets(connection, self.filter)?;
        let exact: Vec<Vec<String>> = words.iter().map(|word| vec![word.clone()]).collect();
        let mut matches = self.matches(connection, &exact, &sets, 0)?;
        if matches.len() < FEW
            && let Some(close) = alternatives(connection, &words)?
        {
            let known: std::collections::HashSet<i64> = matches.iter().map(|m| m.row).collect();
            let close = self.matches(connection, &close, &sets, CLOSE)?;
            matches.extend(close.into_iter().filter(|m| !known.contains(&m.row)));
        }
        self.order(&mut matches);
        let facets = match after {
            None => Some(facets(connection, &matches, self.currency)?),
            Some(_) => None,
        };
        let start = after.map_or(0, |after| {
            let place = (&after.value, after.id.as_u128() as i64);
            matches.partition_point(|m| self.compare((&m.key, m.row), place).is_le())
        });
        let page = matches.into_iter().skip(start).take(self.limit as usize);
        let hits = page.map(|m| Hit {
            product: m.product,
            available: m.available,
            position: position(m.key, m.row),
        });
        Ok(Found { hits: hits.collect(), facets })
    }

    /// Products with one of each set of words, or words that begin with them.
    fn matches(
        &self,
        connection: &Connection,
        words: &[Vec<String>],
        sets: &[(char, Vec<String>)],
        offset: i64,
    ) -> Result<Vec<Match>> {
        let mut sentence = Sentence::default();
        let rank = "bm25(product_search, 10.0, 8.0, 4.0, 1.0)";
        let (key, join) = match self.sort {
            Sort::Relevance => (rank, ""),
            Sort::Newest => ("l.row", ""),
            Sort::Title => ("l.title_key", ""),
            Sort::PriceAsc(_) | Sort::PriceDesc(_) => {
                ("p.min_minor", " JOIN product_price p ON p.row = l.row AND p.currency = ?")
            }
        };
        sentence.add(
            &format!(
                "SELECT l.row, l.product_id, l.available, {key} FROM product_search \
                 CROSS JOIN product_listing l ON l.row = product_search.rowid{join} \
                 WHERE product_search MATCH ?"
            ),
            [],
        );
        if let Sort::PriceAsc(currency) | Sort::PriceDesc(currency) = self.sort {
            sentence.values.push(Sql::Text(currency.to_string()));
        }
        sentence.values.push(Sql::Text(expression(words)));
        conditions(&mut sentence, self.filter, sets);
        sentence.add(" LIMIT ?", [Sql::Integer(MAX_MATCHES as i64)]);
        let mut statement = connection.prepare_cached(&sentence.sql)?;
        let matches = statement.query_map(params_from_iter(sentence.values), |row| {
            let key = match row.get::<_, Sql>(3)? {
                Sql::Text(text) => Value::Text(text),
                Sql::Integer(number) => Value::Int(number),
                Sql::Real(rank) => Value::Int((rank * RANK_SCALE) as i64 + offset),
                _ => Value::Null,
            };
            Ok(Match {
                row: row.get(0)?,
                product: ProductId::from_uuid(Uuid::from_bytes(row.get(1)?)),
                available: row.get(2)?,
                key,
            })
        })?;
        matches.collect()
    }

    fn order(&self, matches: &mut [Match]) {
        matches.sort_by(|a, b| self.compare((&a.key, a.row), (&b.key, b.row)));
    }

    fn compare(&self, a: (&Value, i64), b: (&Value, i64)) -> std::cmp::Ordering {
        match self.sort {
            Sort::Newest => b.1.cmp(&a.1),
            Sort::PriceDesc(_) => b.0.cmp(a.0).then(b.1.cmp(&a.1)),
            Sort::Title | Sort::PriceAsc(_) => a.0.cmp(b.0).then(a.1.cmp(&b.1)),
            Sort::Relevance => a.0.cmp(b.0).then(b.1.cmp(&a.1)),
        }
    }
}

/// `("red"* OR "reed"*) AND ("mug"*)`. Words are letters and digits, so nothing needs escaping.
fn expression(words: &[Vec<String>]) -> String {
    let one = |word: &String| format!("\"{word}\"*");
    let set =
        |set: &Vec<String>| format!("({})", set.iter().map(one).collect::<Vec<_>>().join(" OR "));
    words.iter().map(set).collect::<Vec<_>>().join(" AND ")
}

/// For each word itself and the closest ones of the vocabulary; `None` when there are none.
fn alternatives(connection: &Connection, words: &[String]) -> Result<Option<Vec<Vec<String>>>> {
    let mut found = false;
    let mut all = Vec::with_capacity(words.len());
    for word in words {
        let letters: Vec<char> = word.chars().collect();
        let max = tolerance(letters.len());
        let mut close: Vec<(usize, String)> = Vec::new();
        if max > 0 && letters.len() <= 32 && letters.iter().all(|c| c.is_alphabetic()) {
            let mut statement = connection.prepare_cached(
                "SELECT word FROM search_word WHERE letters BETWEEN ?1 AND ?2 LIMIT ?3",
            )?;
            let (least, most) = (letters.len() - max, letters.len() + max);
            let mut rows = statement.query((least as i64, most as i64, MAX_VOCABULARY))?;
            let mut candidate: Vec<char> = Vec::with_capacity(34);
            while let Some(row) = rows.next()? {
                let text = row.get_ref(0)?.as_str()?;
                candidate.clear();
                candidate.extend(text.chars());
                if let Some(errors) = distance(&letters, &candidate, max).filter(|d| *d > 0) {
                    close.push((errors, text.to_owned()));
                }
            }
        }
        close.sort();
        close.truncate(ALTERNATIVES);
        found |= !close.is_empty();
        let set = std::iter::once(word.clone()).chain(close.into_iter().map(|(_, word)| word));
        all.push(set.collect());
    }
    Ok(found.then_some(all))
}

fn facets(connection: &Connection, matches: &[Match], currency: Currency) -> Result<Facets> {
    let mut labels =
        connection.prepare_cached("SELECT kind, label, name FROM product_label WHERE row = ?1")?;
    let mut price = connection.prepare_cached(
        "SELECT min_minor, max_minor FROM product_price WHERE row = ?1 AND currency = ?2",
    )?;
    let mut counts: HashMap<(char, String), (u64, String)> = HashMap::new();
    let mut range: Option<(i64, i64)> = None;
    for found in matches.iter().take(MAX_MATCHES) {
        let mut rows = labels.query([found.row])?;
        while let Some(row) = rows.next()? {
            let kind = row.get_ref(0)?.as_str()?.chars().next().unwrap_or(TAG);
            let entry = counts.entry((kind, row.get(1)?)).or_insert_with(|| (0, String::new()));
            entry.0 += 1;
            if entry.1.is_empty() {
                entry.1 = row.get(2)?;
            }
        }
        let mut rows = price.query((found.row, currency.code()))?;
        if let Some(row) = rows.next()? {
            let (min, max): (i64, i64) = (row.get(0)?, row.get(1)?);
            range = Some(range.map_or((min, max), |(a, b)| (a.min(min), b.max(max))));
        }
    }
    let exact = matches.len() < MAX_MATCHES;
    Ok(gather_facets(counts, range, exact))
}

/// Sorts counted labels into facets: most frequent first, then by name.
pub(super) fn gather_facets(
    counts: HashMap<(char, String), (u64, String)>,
    price: Option<(i64, i64)>,
    exact: bool,
) -> Facets {
    let mut facets = Facets { price, exact, ..Facets::default() };
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
    for ((kind, label), (count, name)) in sorted {
        match kind {
            TAG if facets.tags.len() < MAX_FACET_VALUES => {
                facets.tags.push(Facet { value: name, count });
            }
            VENDOR if facets.vendors.len() < MAX_FACET_VALUES => {
                facets.vendors.push(Facet { value: name, count });
            }
            CATEGORY if facets.categories.len() < MAX_FACET_VALUES => {
                if let Ok(id) = label.parse::<Uuid>() {
                    facets.categories.push(Facet { value: CategoryId::from_uuid(id), count });
                }
            }
            _ => {}
        }
    }
    facets
}
