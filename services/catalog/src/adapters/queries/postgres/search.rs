//! Search on PostgreSQL's full text: all words of the query, or words that begin with them; then,
//! if those find little, words of the vocabulary that are a typing error away.
//!
//! Words are compared as they are stored: they come folded and split by our own rules, so neither
//! an extension nor a text search configuration is needed, and both databases find the same.

use std::collections::HashSet;

use std::sync::LazyLock;

use kernel::id::Uuid;
use platform::store::postgres::sqlx::postgres::PgRow;
use platform::store::postgres::sqlx::{self, Row as _};
use platform::store::{Position, PostgresReader, StoreError};

use super::super::facets::Tally;
use super::super::lists::{Sets, priced_in};
use super::super::query::{Term, terms};
use super::super::search::{
    Closest, Listed, MAX_CANDIDATES, MAX_NUMBERS, Matches, Search, alternatives, is_number, most,
    nothing,
};
use super::list::{CONDITIONS, filtered, gather, sets};
use super::words::lexeme;
use super::{Marks, fetch, only, undecoded};
use crate::domain::{CategoryId, ProductId};
use crate::ports::{Facets, Found};

/// So many matches are listed and sorted. Of words that more products hold, enough stand among the
/// newest ones.
const MAX_LISTED: i64 = 50_000;
/// And among so many of the newest ones they are looked for.
const MAX_WALKED: i64 = 100_000;

/// Where words are looked for: how many products hold them, and the newest of those.
struct Place {
    listed: &'static str,
    /// The same, one product after the other from the newest on.
    walked: &'static str,
}

/// The index is asked for the matches first: left to itself the planner, which does not know the
/// words of a statement it keeps, would rather walk, and go through all products for a rare word.
macro_rules! place {
    ($column:literal) => {
        Place {
            listed: concat!(
                "WITH found AS MATERIALIZED (SELECT row FROM product_search WHERE ",
                $column,
                " @@ $1::text::tsquery LIMIT $3) \
                 SELECT ARRAY (SELECT row FROM found ORDER BY row DESC LIMIT $2), \
                 (SELECT count(*) FROM found)",
            ),
            walked: concat!(
                "SELECT ARRAY (SELECT row FROM (SELECT row, ",
                $column,
                " FROM product_search ORDER BY row DESC LIMIT $3) AS newest WHERE ",
                $column,
                " @@ $1::text::tsquery ORDER BY row DESC LIMIT $2)",
            ),
        }
    };
}

const ANYWHERE: Place = place!("words");
const IN_TITLE: Place = place!("title");

/// Words of the vocabulary that share a hint.
const HINTED: &str = "SELECT w.word FROM unnest($1::bigint[]) WITH ORDINALITY AS j (hint, nth) \
     CROSS JOIN LATERAL (SELECT word FROM search_hint WHERE hint = j.hint \
     ORDER BY word LIMIT $2) AS h \
     JOIN search_word w ON w.id = h.word ORDER BY j.nth, h.word LIMIT $2";

/// The first terms between two, each found by a step in the index, however many rows have it.
const NUMBERS: &str = "WITH RECURSIVE found (term, nth) AS ( \
     SELECT (SELECT min(term) FROM product_term WHERE term >= $1 AND term < $2), 1::bigint \
     UNION ALL \
     SELECT (SELECT min(t.term) FROM product_term t WHERE t.term > found.term AND t.term < $2), \
     found.nth + 1 FROM found WHERE found.term IS NOT NULL AND found.nth < $3) \
     SELECT term FROM found WHERE term IS NOT NULL ORDER BY nth";

pub(super) async fn run(
    reader: &PostgresReader,
    search: &Search<'_>,
    query: &str,
    after: Option<&Position>,
) -> Result<Found, StoreError> {
    let mut terms = terms(query);
    if terms.is_empty() {
        return Ok(nothing(after));
    }
    let sets = sets(reader, search.filter).await?;
    let rare = gather(reader, &sets).await?.map(HashSet::from_iter);
    let mut matches = Matches::default();
    find(reader, search, &terms, &sets, rare.as_ref(), &mut matches, false).await?;
    if matches.are_few() && add_close(reader, &mut terms).await? {
        find(reader, search, &terms, &sets, rare.as_ref(), &mut matches, true).await?;
    }
    let (hits, tally, exact) = search.page(matches, after);
    let facets = match after {
        None => Some(facets(reader, tally, exact).await?),
        Some(_) => None,
    };
    Ok(Found { hits, facets })
}

/// Adds products that hold every term, `close` ones included.
async fn find(
    reader: &PostgresReader,
    search: &Search<'_>,
    terms: &[Term],
    sets: &Sets,
    rare: Option<&HashSet<i64>>,
    matches: &mut Matches,
    close: bool,
) -> Result<(), StoreError> {
    let expression = expression(reader, terms).await?;
    let most = most(rare);
    let (mut rows, cut) = full_text(reader, ANYWHERE, &expression, most).await?;
    if cut {
        let (titled, _) = full_text(reader, IN_TITLE, &expression, most).await?;
        rows = matches.prefer(titled, rows);
    }
    let rows = matches.choose(rows, rare);
    if rows.is_empty() {
        return Ok(());
    }
    let mut marks = filtered(search.filter).with(rows).with(search.currency.to_string());
    if let Some(currency) = priced_in(search.sort) {
        marks = marks.with(currency.to_string());
    }
    for row in fetch(reader, listing(search), marks).await? {
        let listed = listed(&row).map_err(undecoded)?;
        search.note(matches, sets, terms, close, &listed);
    }
    Ok(())
}

/// What the listing says of the rows `$5`, in their order, with prices in the currency `$6`, as far
/// as the filter lets them pass; sorted by the price in the currency `$7`, where that is asked for.
fn listing(search: &Search<'_>) -> &'static str {
    static UNPRICED: LazyLock<String> = LazyLock::new(|| listing_of("0::bigint", ""));
    static PRICED: LazyLock<String> = LazyLock::new(|| {
        let join = "JOIN product_price s ON s.row = l.row AND s.currency = $7 ";
        listing_of("s.min_minor", join)
    });
    if priced_in(search.sort).is_some() { &PRICED } else { &UNPRICED }
}

fn listing_of(key: &str, join: &str) -> String {
    format!(
        "SELECT l.row, l.product_id, l.available, l.title_key, {key}, p.min_minor, p.max_minor, \
         l.labels FROM unnest($5::bigint[]) WITH ORDINALITY AS j (row, nth) \
         JOIN product_listing l ON l.row = j.row \
         LEFT JOIN product_price p ON p.row = l.row AND p.currency = $6 {join}\
         WHERE {CONDITIONS} ORDER BY j.nth"
    )
}

fn listed(row: &PgRow) -> sqlx::Result<Listed<'_>> {
    let price: (Option<i64>, Option<i64>) = (row.try_get(5)?, row.try_get(6)?);
    Ok(Listed {
        row: row.try_get(0)?,
        product: ProductId::from_uuid(row.try_get(1)?),
        available: row.try_get::<i64, _>(2)? == 1,
        title: row.try_get(3)?,
        labels: row.try_get(7)?,
        sorted_price: row.try_get(4)?,
        price: price.0.zip(price.1),
    })
}

/// Rows that match, newest first, at most `most`; and whether there are more.
async fn full_text(
    reader: &PostgresReader,
    place: Place,
    expression: &str,
    most: usize,
) -> Result<(Vec<i64>, bool), StoreError> {
    let marks = |limit| Marks::default().with(expression.to_owned()).with(most as i64).with(limit);
    let found = fetch(reader, place.listed, marks(MAX_LISTED + 1)).await?;
    let (rows, count): (Vec<i64>, i64) =
        only(&found, |row| Ok((row.try_get(0)?, row.try_get(1)?)))?;
    if count <= MAX_LISTED {
        let full = rows.len() == most;
        return Ok((rows, full));
    }
    let found = fetch(reader, place.walked, marks(MAX_WALKED)).await?;
    Ok((only(&found, |row| row.try_get(0))?, true))
}

/// `('red':*|'reed')&('mug':*)`. Words are letters and digits, so nothing needs escaping.
async fn expression(reader: &PostgresReader, terms: &[Term]) -> Result<String, StoreError> {
    let mut sets = Vec::with_capacity(terms.len());
    for term in terms {
        let begun =
            if is_number(&term.word) { numbers(reader, &term.word).await? } else { Vec::new() };
        let set = alternatives(term, begun)
            .into_iter()
            .map(|(word, prefix)| format!("'{}'{}", lexeme(&word), if prefix { ":*" } else { "" }));
        sets.push(format!("({})", set.collect::<Vec<_>>().join("|")));
    }
    Ok(sets.join("&"))
}

/// Those that begin with a word, the first ones.
async fn numbers(reader: &PostgresReader, word: &str) -> Result<Vec<String>, StoreError> {
    let word = lexeme(word);
    let marks =
        Marks::default().with(word.to_owned()).with(format!("{word}\u{10ffff}")).with(MAX_NUMBERS);
    texts(&fetch(reader, NUMBERS, marks).await?)
}

fn texts(rows: &[PgRow]) -> Result<Vec<String>, StoreError> {
    let texts = rows.iter().map(|row| row.try_get(0));
    texts.collect::<sqlx::Result<_>>().map_err(undecoded)
}

/// Gives each term the closest words of the vocabulary; false when there are none.
async fn add_close(reader: &PostgresReader, terms: &mut [Term]) -> Result<bool, StoreError> {
    let mut found = false;
    for term in terms {
        let Some(mut closest) = Closest::to(term) else { continue };
        let marks = Marks::default().with(closest.hints()).with(MAX_CANDIDATES);
        for word in texts(&fetch(reader, HINTED, marks).await?)? {
            closest.consider(&word);
        }
        term.close = closest.words();
        found |= !term.close.is_empty();
    }
    Ok(found)
}

/// Categories that were deleted since still stand in the rows of their products.
async fn facets(reader: &PostgresReader, tally: Tally, exact: bool) -> Result<Facets, StoreError> {
    let counted = tally.categories();
    let mut known: HashSet<CategoryId> = HashSet::new();
    if !counted.is_empty() {
        let exist = "SELECT ARRAY (SELECT id FROM category_node WHERE id = ANY ($1))";
        let rows = fetch(reader, exist, Marks::default().with(counted)).await?;
        let ids: Vec<Uuid> = only(&rows, |row| row.try_get(0))?;
        known.extend(ids.into_iter().map(CategoryId::from_uuid));
    }
    Ok(tally.finish(exact, |id| known.contains(&id)))
}
