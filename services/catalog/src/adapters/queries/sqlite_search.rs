//! Search on SQLite's FTS5: all words of the query, or words that begin with them; then, if those
//! find little, words of the vocabulary that are a typing error away.
//!
//! The work of one search is bounded: a few statements, whatever the words and however many
//! products there are. Full text answers nothing but row numbers, newest first and up to a limit;
//! one statement reads what is known of those rows; ranks and facets are counted from that.

use std::collections::HashSet;

use kernel::Currency;
use kernel::id::Uuid;
use platform::store::{Position, Value};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Result, params_from_iter};

use super::facets::Tally;
use super::query::{ALTERNATIVES, FEW, Term, rank, terms};
use super::sqlite_list::{Sentence, conditions, gather, has_labels, json, label_sets, position};
use crate::domain::text::{distance, hints_of, tolerance};
use crate::domain::{CategoryId, ProductId};
use crate::ports::{Facets, Filter, Found, Hit, MAX_MATCHES, Sort};

/// Matches are looked through up to this many for those that a rare label has.
const MAX_SCANNED: usize = 20_000;
/// Words that may be meant by a mistyped one are compared up to this many.
const MAX_CANDIDATES: i64 = 1_000;
/// A beginning of an article number or the like stands for at most this many of them.
const MAX_NUMBERS: i64 = 32;

/// Words of the vocabulary that share a hint.
const HINTED: &str = "SELECT w.word FROM json_each(?1) j \
     CROSS JOIN search_hint h ON h.hint = j.value \
     CROSS JOIN search_word w ON w.id = h.word LIMIT ?2";

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

/// What was found so far.
#[derive(Default)]
struct Matches {
    list: Vec<Match>,
    rows: HashSet<i64>,
    tally: Tally,
    /// More would have matched than were looked at.
    cut: bool,
}

impl Search<'_> {
    pub fn run(
        &self,
        connection: &Connection,
        query: &str,
        after: Option<&Position>,
    ) -> Result<Found> {
        let mut terms = terms(query);
        if terms.is_empty() {
            let facets = after.is_none().then(|| Facets { exact: true, ..Facets::default() });
            return Ok(Found { hits: Vec::new(), facets });
        }
        let sets = label_sets(connection, self.filter)?;
        let rare = gather(connection, &sets)?.map(HashSet::from_iter);
        let mut matches = Matches::default();
        self.find(connection, &terms, &sets, rare.as_ref(), &mut matches, false)?;
        if matches.list.len() < FEW && add_close(connection, &mut terms)? {
            self.find(connection, &terms, &sets, rare.as_ref(), &mut matches, true)?;
        }
        let Matches { mut list, tally, cut, .. } = matches;
        list.sort_by(|a, b| self.compare((&a.key, a.row), (&b.key, b.row)));
        let facets = match after {
            None => Some(facets(connection, tally, !cut)?),
            Some(_) => None,
        };
        let start = after.map_or(0, |after| {
            let place = (&after.value, after.id.as_u128() as i64);
            list.partition_point(|m| self.compare((&m.key, m.row), place).is_le())
        });
        let page = list.into_iter().skip(start).take(self.limit as usize);
        let hits = page.map(|m| Hit {
            product: m.product,
            available: m.available,
            position: position(m.key, m.row),
        });
        Ok(Found { hits: hits.collect(), facets })
    }

    /// Adds products that hold every term, `close` ones included.
    fn find(
        &self,
        connection: &Connection,
        terms: &[Term],
        sets: &[(char, Vec<String>)],
        rare: Option<&HashSet<i64>>,
        matches: &mut Matches,
        close: bool,
    ) -> Result<()> {
        let expression = expression(connection, terms)?;
        let most = if rare.is_some() { MAX_SCANNED } else { MAX_MATCHES };
        let mut rows = full_text(connection, &expression, most)?;
        if rows.len() == most {
            // Among so many, those that have the words in the title are the ones to be shown.
            matches.cut = true;
            let mut titled = full_text(connection, &format!("title : ({expression})"), most)?;
            let known: HashSet<i64> = titled.iter().copied().collect();
            titled.extend(rows.into_iter().filter(|row| !known.contains(row)));
            rows = titled;
        }
        rows.retain(|row| {
            rare.is_none_or(|rare| rare.contains(row)) && !matches.rows.contains(row)
        });
        rows.truncate(MAX_MATCHES - matches.list.len());
        matches.rows.extend(&rows);
        self.read(connection, &rows, sets, matches, |title| rank(title, terms, close))
    }

    /// Reads what the listing says of `rows`, as far as the filter lets them pass.
    fn read(
        &self,
        connection: &Connection,
        rows: &[i64],
        sets: &[(char, Vec<String>)],
        matches: &mut Matches,
        rank: impl Fn(&str) -> i64,
    ) -> Result<()> {
        let sentence = self.listing(rows);
        let mut statement = connection.prepare_cached(&sentence.sql)?;
        let mut found = statement.query(params_from_iter(sentence.values))?;
        while let Some(row) = found.next()? {
            let labels = row.get_ref(7)?.as_str()?;
            if !has_labels(labels, sets) {
                continue;
            }
            let title = row.get_ref(3)?.as_str()?;
            let number = row.get(0)?;
            let key = match self.sort {
                Sort::Relevance => Value::Int(rank(title)),
                Sort::Newest => Value::Int(number),
                Sort::Title => Value::Text(title.to_owned()),
                Sort::PriceAsc(_) | Sort::PriceDesc(_) => Value::Int(row.get(4)?),
            };
            let price: (Option<i64>, Option<i64>) = (row.get(5)?, row.get(6)?);
            matches.tally.note(labels, price.0.zip(price.1));
            matches.list.push(Match {
                row: number,
                product: ProductId::from_uuid(Uuid::from_bytes(row.get(1)?)),
                available: row.get(2)?,
                key,
            });
        }
        Ok(())
    }

    fn listing(&self, rows: &[i64]) -> Sentence {
        let mut sentence = Sentence::default();
        let (key, join) = match self.sort {
            Sort::PriceAsc(_) | Sort::PriceDesc(_) => {
                ("s.min_minor", " JOIN product_price s ON s.row = l.row AND s.currency = ?")
            }
            _ => ("0", ""),
        };
        let currency = Sql::Text(self.currency.to_string());
        sentence.add(
            &format!(
                "SELECT l.row, l.product_id, l.available, l.title_key, {key}, p.min_minor, \
                 p.max_minor, l.labels FROM json_each(?) j \
                 CROSS JOIN product_listing l ON l.row = j.value \
                 LEFT JOIN product_price p ON p.row = l.row AND p.currency = ?{join} WHERE 1"
            ),
            [Sql::Text(json(rows)), currency],
        );
        if let Sort::PriceAsc(currency) | Sort::PriceDesc(currency) = self.sort {
            sentence.values.push(Sql::Text(currency.to_string()));
        }
        conditions(&mut sentence, self.filter);
        sentence
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

/// Rows that match, newest first, at most `most`.
fn full_text(connection: &Connection, expression: &str, most: usize) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT rowid FROM product_search WHERE product_search MATCH ?1 \
         ORDER BY rowid DESC LIMIT ?2",
    )?;
    statement.query_map((expression, most as i64), |row| row.get(0))?.collect()
}

/// `("red"* OR "reed") AND ("mug"*)`. Words are letters and digits, so nothing needs escaping.
fn expression(connection: &Connection, terms: &[Term]) -> Result<String> {
    let mut sets = Vec::with_capacity(terms.len());
    for term in terms {
        let mut set = Vec::with_capacity(1 + term.close.len());
        if is_number(&term.word) {
            set.extend(numbers(connection, &term.word)?);
        }
        if set.is_empty() {
            let prefix = !term.is_whole() && !is_number(&term.word);
            set.push(format!("\"{}\"{}", term.word, if prefix { "*" } else { "" }));
        }
        set.extend(term.close.iter().map(|word| format!("\"{word}\"")));
        sets.push(format!("({})", set.join(" OR ")));
    }
    Ok(sets.join(" AND "))
}

/// Article numbers and the like: thousands of them may begin alike, so their beginnings are not
/// left to full text. Short ones stand in its index of beginnings.
fn is_number(word: &str) -> bool {
    word.chars().nth(3).is_some() && word.bytes().any(|b| b.is_ascii_digit())
}

fn numbers(connection: &Connection, word: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT term FROM product_term WHERE term >= ?1 AND term < ?1 || char(1114111) LIMIT ?2",
    )?;
    let terms = statement
        .query_map((word, MAX_NUMBERS), |row| Ok(format!("\"{}\"", row.get_ref(0)?.as_str()?)))?;
    terms.collect()
}

/// Gives each term the closest words of the vocabulary; false when there are none.
fn add_close(connection: &Connection, terms: &mut [Term]) -> Result<bool> {
    let mut statement = connection.prepare_cached(HINTED)?;
    let mut found = false;
    let mut candidate: Vec<char> = Vec::with_capacity(34);
    for term in terms {
        let letters: Vec<char> = term.word.chars().collect();
        let max = tolerance(letters.len());
        if max == 0 || letters.len() > 32 || !letters.iter().all(|c| c.is_alphabetic()) {
            continue;
        }
        let mut close: Vec<(usize, String)> = Vec::new();
        let mut rows = statement.query((json(&hints_of(&letters, max)), MAX_CANDIDATES))?;
        while let Some(row) = rows.next()? {
            let word = row.get_ref(0)?.as_str()?;
            candidate.clear();
            candidate.extend(word.chars());
            if let Some(errors) = distance(&letters, &candidate, max).filter(|d| *d > 0)
                && close.iter().all(|(_, known)| known != word)
            {
                close.push((errors, word.to_owned()));
            }
        }
        close.sort();
        close.truncate(ALTERNATIVES);
        found |= !close.is_empty();
        term.close = close.into_iter().map(|(_, word)| word).collect();
    }
    Ok(found)
}

/// Categories that were deleted since still stand in the rows of their products.
fn facets(connection: &Connection, tally: Tally, exact: bool) -> Result<Facets> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM category_node WHERE id = ?1")?;
    let mut failure = None;
    let facets = tally.finish(exact, |id: CategoryId| {
        let found = statement.query_row([id.uuid().as_bytes().as_slice()], |_| Ok(())).optional();
        match found {
            Ok(found) => found.is_some(),
            Err(error) => {
                failure = Some(error);
                false
            }
        }
    });
    failure.map_or(Ok(facets), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::PriceRange;

    fn plan(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let count = statement.parameter_count();
        let rows = statement.query_map(params_from_iter(vec![1; count]), |row| row.get(3)).unwrap();
        rows.collect::<Result<_>>().unwrap()
    }

    #[test]
    fn no_statement_of_a_search_goes_through_a_table() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(crate::MIGRATIONS[0].sqlite).unwrap();
        let price = PriceRange { currency: Currency::EUR, min: 0, max: 9 };
        let filter = Filter { price: Some(price), available: true, ..Filter::default() };
        let search = Search {
            filter: &filter,
            sort: Sort::PriceAsc(Currency::EUR),
            currency: Currency::EUR,
            limit: 20,
        };
        for sql in [search.listing(&[1]).sql, HINTED.to_owned()] {
            let steps = plan(&connection, &sql);
            let scans: Vec<&String> = steps.iter().filter(|s| s.starts_with("SCAN")).collect();
            assert!(scans.iter().all(|step| step.contains("VIRTUAL TABLE")), "{sql}: {steps:?}");
        }
    }

    #[test]
    fn more_matches_than_are_looked_at_are_told_and_titles_go_first() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(crate::MIGRATIONS[0].sqlite).unwrap();
        let all = MAX_MATCHES as i64 + 10;
        connection
            .execute_batch(&format!(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {all}) \
                 INSERT INTO product_listing SELECT x, CAST(printf('%016d', x) AS BLOB), \
                 iif(x = 1, 'mug', 'cup'), 1, 0, 'vAcme' || char(10) FROM n; \
                 INSERT INTO product_search (rowid, title, other) \
                 SELECT row, title_key, iif(row = 1, '', 'mug') FROM product_listing;"
            ))
            .unwrap();
        let filter = Filter::default();
        let (sort, currency) = (Sort::Relevance, Currency::EUR);
        let search = Search { filter: &filter, sort, currency, limit: 2 };
        let found = search.run(&connection, "mug", None).unwrap();
        let facets = found.facets.unwrap();
        assert_eq!((facets.vendors[0].count, facets.exact), (MAX_MATCHES as u64, false));
        let rows: Vec<u128> = found.hits.iter().map(|hit| hit.position.id.as_u128()).collect();
        assert_eq!(rows, [1, all as u128]);
    }
}
