//! Search on SQLite's FTS5: all words of the query, or words that begin with them; then, if those
//! find little, words of the vocabulary that are a typing error away.

use std::collections::HashSet;

use kernel::id::Uuid;
use platform::store::Position;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Result, params_from_iter};

use super::facets::Tally;
use super::lists::{Sets, priced_in};
use super::query::{Term, terms};
use super::search::{
    Closest, Listed, MAX_CANDIDATES, MAX_NUMBERS, Matches, Search, alternatives, is_number, most,
    nothing,
};
use super::sqlite_list::{Sentence, conditions, gather, json, label_sets};
use crate::domain::{CategoryId, ProductId};
use crate::ports::{Facets, Found};

/// Words of the vocabulary that share a hint.
const HINTED: &str = "SELECT w.word FROM json_each(?1) j \
     CROSS JOIN search_hint h ON h.hint = j.value \
     CROSS JOIN search_word w ON w.id = h.word LIMIT ?2";

impl Search<'_> {
    pub fn run(
        &self,
        connection: &Connection,
        query: &str,
        after: Option<&Position>,
    ) -> Result<Found> {
        let mut terms = terms(query);
        if terms.is_empty() {
            return Ok(nothing(after));
        }
        let sets = label_sets(connection, self.filter)?;
        let rare = gather(connection, &sets)?.map(HashSet::from_iter);
        let mut matches = Matches::default();
        self.find(connection, &terms, &sets, rare.as_ref(), &mut matches, false)?;
        if matches.are_few() && add_close(connection, &mut terms)? {
            self.find(connection, &terms, &sets, rare.as_ref(), &mut matches, true)?;
        }
        let (hits, tally, exact) = self.page(matches, after);
        let facets = match after {
            None => Some(facets(connection, tally, exact)?),
            Some(_) => None,
        };
        Ok(Found { hits, facets })
    }

    /// Adds products that hold every term, `close` ones included.
    fn find(
        &self,
        connection: &Connection,
        terms: &[Term],
        sets: &Sets,
        rare: Option<&HashSet<i64>>,
        matches: &mut Matches,
        close: bool,
    ) -> Result<()> {
        let expression = expression(connection, terms)?;
        let most = most(rare);
        let mut rows = full_text(connection, &expression, most)?;
        if rows.len() == most {
            let titled = full_text(connection, &format!("title : ({expression})"), most)?;
            rows = matches.prefer(titled, rows);
        }
        let rows = matches.choose(rows, rare);
        let sentence = self.listing(&rows);
        let mut statement = connection.prepare_cached(&sentence.sql)?;
        let mut found = statement.query(params_from_iter(sentence.values))?;
        while let Some(row) = found.next()? {
            let price: (Option<i64>, Option<i64>) = (row.get(5)?, row.get(6)?);
            let listed = Listed {
                row: row.get(0)?,
                product: ProductId::from_uuid(Uuid::from_bytes(row.get(1)?)),
                available: row.get(2)?,
                title: row.get_ref(3)?.as_str()?,
                labels: row.get_ref(7)?.as_str()?,
                sorted_price: row.get(4)?,
                price: price.0.zip(price.1),
            };
            self.note(matches, sets, terms, close, &listed);
        }
        Ok(())
    }

    fn listing(&self, rows: &[i64]) -> Sentence {
        let mut sentence = Sentence::default();
        let (key, join) = match priced_in(self.sort) {
            Some(_) => ("s.min_minor", " JOIN product_price s ON s.row = l.row AND s.currency = ?"),
            None => ("0", ""),
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
        if let Some(currency) = priced_in(self.sort) {
            sentence.values.push(Sql::Text(currency.to_string()));
        }
        conditions(&mut sentence, self.filter);
        sentence
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
        let begun =
            if is_number(&term.word) { numbers(connection, &term.word)? } else { Vec::new() };
        let set = alternatives(term, begun)
            .into_iter()
            .map(|(word, prefix)| format!("\"{word}\"{}", if prefix { "*" } else { "" }));
        sets.push(format!("({})", set.collect::<Vec<_>>().join(" OR ")));
    }
    Ok(sets.join(" AND "))
}

/// Those that begin with a word, the first ones.
fn numbers(connection: &Connection, word: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT term FROM product_term WHERE term >= ?1 AND term < ?1 || char(1114111) LIMIT ?2",
    )?;
    let terms = statement.query_map((word, MAX_NUMBERS), |row| row.get(0))?;
    terms.collect()
}

/// Gives each term the closest words of the vocabulary; false when there are none.
fn add_close(connection: &Connection, terms: &mut [Term]) -> Result<bool> {
    let mut statement = connection.prepare_cached(HINTED)?;
    let mut found = false;
    for term in terms {
        let Some(mut closest) = Closest::to(term) else { continue };
        let mut rows = statement.query((json(&closest.hints()), MAX_CANDIDATES))?;
        while let Some(row) = rows.next()? {
            closest.consider(row.get_ref(0)?.as_str()?);
        }
        term.close = closest.words();
        found |= !term.close.is_empty();
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
    use kernel::Currency;

    use super::*;
    use crate::ports::{Filter, MAX_MATCHES, PriceRange, Sort};

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
