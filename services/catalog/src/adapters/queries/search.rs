//! What a search is on every engine: which words it asks for, which matches it looks at, how they
//! are ranked, counted and cut into pages.
//!
//! The work of one search is bounded: a few statements, whatever the words and however many
//! products there are. Full text answers nothing but row numbers, newest first and up to a limit;
//! one statement reads what is known of those rows; ranks and facets are counted from that.

use std::cmp::Ordering;
use std::collections::HashSet;

use kernel::Currency;
use platform::store::{Position, Value};

use super::facets::Tally;
use super::lists::{Sets, has_labels, position, row_of};
use super::query::{ALTERNATIVES, FEW, Term, rank};
use crate::domain::ProductId;
use crate::domain::text::{distance, hints_of, tolerance};
use crate::ports::{Facets, Filter, Found, Hit, MAX_MATCHES, Sort};

/// Matches are looked through up to this many for those that a rare label has.
const MAX_SCANNED: usize = 20_000;
/// Words that may be meant by a mistyped one are compared up to this many.
pub(super) const MAX_CANDIDATES: i64 = 1_000;
/// A beginning of an article number or the like stands for at most this many of them.
pub(super) const MAX_NUMBERS: i64 = 32;

pub(super) struct Search<'a> {
    pub filter: &'a Filter,
    pub sort: Sort,
    pub currency: Currency,
    pub limit: u32,
}

/// What the listing says of a row.
pub(super) struct Listed<'a> {
    pub row: i64,
    pub product: ProductId,
    pub available: bool,
    pub title: &'a str,
    pub labels: &'a str,
    /// What is sorted by, when that is the price.
    pub sorted_price: i64,
    /// In the currency of the facets.
    pub price: Option<(i64, i64)>,
}

struct Match {
    row: i64,
    product: ProductId,
    available: bool,
    key: Value,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Matches {
    list: Vec<Match>,
    rows: HashSet<i64>,
    pub tally: Tally,
    /// More would have matched than were looked at.
    cut: bool,
}

/// The answer to a query without words.
pub(super) fn nothing(after: Option<&Position>) -> Found {
    let facets = after.is_none().then(|| Facets { exact: true, ..Facets::default() });
    Found { hits: Vec::new(), facets }
}

/// How many rows full text is asked for.
pub(super) fn most(rare: Option<&HashSet<i64>>) -> usize {
    if rare.is_some() { MAX_SCANNED } else { MAX_MATCHES }
}

impl Matches {
    pub fn are_few(&self) -> bool {
        self.list.len() < FEW
    }

    /// There are too many matches: those that have the words in the title are the ones to be shown.
    pub fn prefer(&mut self, mut titled: Vec<i64>, rows: Vec<i64>) -> Vec<i64> {
        self.cut = true;
        let known: HashSet<i64> = titled.iter().copied().collect();
        titled.extend(rows.into_iter().filter(|row| !known.contains(row)));
        titled
    }

    /// Those of `rows` that are to be read: new ones, as many as are looked at.
    pub fn choose(&mut self, mut rows: Vec<i64>, rare: Option<&HashSet<i64>>) -> Vec<i64> {
        rows.retain(|row| rare.is_none_or(|rare| rare.contains(row)) && !self.rows.contains(row));
        rows.truncate(MAX_MATCHES - self.list.len());
        self.rows.extend(&rows);
        rows
    }
}

impl Search<'_> {
    /// Takes note of a row that passed the filter but for its labels.
    pub fn note(
        &self,
        matches: &mut Matches,
        sets: &Sets,
        terms: &[Term],
        close: bool,
        listed: &Listed<'_>,
    ) {
        if !has_labels(listed.labels, sets) {
            return;
        }
        let key = match self.sort {
            Sort::Relevance => Value::Int(rank(listed.title, terms, close)),
            Sort::Newest => Value::Int(listed.row),
            Sort::Title => Value::Text(listed.title.to_owned()),
            Sort::PriceAsc(_) | Sort::PriceDesc(_) => Value::Int(listed.sorted_price),
        };
        matches.tally.note(listed.labels, listed.price);
        let Listed { row, product, available, .. } = *listed;
        matches.list.push(Match { row, product, available, key });
    }

    /// The page behind `after`, and whether all matches were counted.
    pub fn page(&self, matches: Matches, after: Option<&Position>) -> (Vec<Hit>, Tally, bool) {
        let Matches { mut list, tally, cut, .. } = matches;
        list.sort_by(|a, b| self.compare((&a.key, a.row), (&b.key, b.row)));
        let start = after.map_or(0, |after| {
            let place = (&after.value, row_of(after));
            list.partition_point(|m| self.compare((&m.key, m.row), place).is_le())
        });
        let page = list.into_iter().skip(start).take(self.limit as usize);
        let hits = page.map(|m| Hit {
            product: m.product,
            available: m.available,
            position: position(m.key, m.row),
        });
        (hits.collect(), tally, !cut)
    }

    fn compare(&self, a: (&Value, i64), b: (&Value, i64)) -> Ordering {
        match self.sort {
            Sort::Newest => b.1.cmp(&a.1),
            Sort::PriceDesc(_) => b.0.cmp(a.0).then(b.1.cmp(&a.1)),
            Sort::Title | Sort::PriceAsc(_) => a.0.cmp(b.0).then(a.1.cmp(&b.1)),
            Sort::Relevance => a.0.cmp(b.0).then(b.1.cmp(&a.1)),
        }
    }
}

/// Article numbers and the like: thousands of them may begin alike, so their beginnings are not
/// left to full text. Short ones stand in its index of beginnings.
pub(super) fn is_number(word: &str) -> bool {
    word.chars().nth(3).is_some() && word.bytes().any(|b| b.is_ascii_digit())
}

/// The words that may stand for a term, and whether their beginnings are enough. `numbers` are
/// those that begin with it, when it is one.
pub(super) fn alternatives(term: &Term, numbers: Vec<String>) -> Vec<(String, bool)> {
    let mut words: Vec<(String, bool)> = numbers.into_iter().map(|word| (word, false)).collect();
    if words.is_empty() {
        let prefix = !term.is_whole() && !is_number(&term.word);
        words.push((term.word.clone(), prefix));
    }
    words.extend(term.close.iter().map(|word| (word.clone(), false)));
    words
}

/// Looks for the words that are a typing error away from a term.
pub(super) struct Closest {
    letters: Vec<char>,
    max: usize,
    found: Vec<(usize, String)>,
    candidate: Vec<char>,
}

impl Closest {
    /// `None` when no other word can be meant.
    pub fn to(term: &Term) -> Option<Self> {
        let letters: Vec<char> = term.word.chars().collect();
        let max = tolerance(letters.len());
        let comparable =
            max > 0 && letters.len() <= 32 && letters.iter().all(|c| c.is_alphabetic());
        let candidate = Vec::with_capacity(34);
        comparable.then_some(Self { letters, max, found: Vec::new(), candidate })
    }

    /// What candidates are found by.
    pub fn hints(&self) -> Vec<i64> {
        hints_of(&self.letters, self.max)
    }

    pub fn consider(&mut self, word: &str) {
        self.candidate.clear();
        self.candidate.extend(word.chars());
        if let Some(errors) = distance(&self.letters, &self.candidate, self.max).filter(|d| *d > 0)
            && self.found.iter().all(|(_, known)| known != word)
        {
            self.found.push((errors, word.to_owned()));
        }
    }

    pub fn words(mut self) -> Vec<String> {
        self.found.sort();
        self.found.truncate(ALTERNATIVES);
        self.found.into_iter().map(|(_, word)| word).collect()
    }
}
