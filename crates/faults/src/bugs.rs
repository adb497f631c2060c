//! Do the rows notice anything? A run with `--bug` turns on one mistake after another, and each has
//! to be noticed by some row.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::report::RowReport;

/// What one row made of one mistake.
#[derive(Clone, Debug)]
pub struct Tried {
    pub bug: String,
    pub row: &'static str,
    /// Invariants that the books found broken.
    pub by_books: BTreeSet<String>,
    /// Whatever else was wrong, in words.
    pub otherwise: Option<String>,
}

impl Tried {
    pub fn of(bug: &str, report: &RowReport) -> Self {
        let named = |violation: &String| invariant(violation).map(str::to_owned);
        let by_books = report.violations.iter().filter_map(named).collect();
        let other = report.violations.iter().find(|violation| invariant(violation).is_none());
        let first_line = |text: &String| text.lines().next().unwrap_or_default().to_owned();
        let otherwise = other.map(first_line);
        Self { bug: bug.to_owned(), row: report.row, by_books, otherwise }
    }

    fn is_noticed(&self) -> bool {
        !self.by_books.is_empty() || self.otherwise.is_some()
    }
}

/// `I3` of `I3 pay_…: …`.
fn invariant(violation: &str) -> Option<&str> {
    let (first, _) = violation.split_once(' ')?;
    let number = first.strip_prefix('I')?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(first)
}

/// As Markdown.
pub fn table(tried: &[Tried]) -> String {
    let mut text =
        String::from("| mistake | row | found by the books | otherwise |\n|---|---|---|---|\n");
    for Tried { bug, row, by_books, otherwise } in tried {
        let books: Vec<&str> = by_books.iter().map(String::as_str).collect();
        let books = if books.is_empty() { "–".to_owned() } else { books.join(", ") };
        let otherwise: String = otherwise.as_deref().unwrap_or("–").chars().take(100).collect();
        let _ = writeln!(text, "| {bug} | {row} | {books} | {otherwise} |");
    }
    text
}

/// The mistakes that no row noticed.
pub fn missed(tried: &[Tried]) -> BTreeSet<&str> {
    let noticed: BTreeSet<&str> =
        tried.iter().filter(|one| one.is_noticed()).map(|one| &*one.bug).collect();
    tried.iter().map(|one| &*one.bug).filter(|bug| !noticed.contains(bug)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(violations: &[&str]) -> RowReport {
        let violations = violations.iter().map(|text| (*text).to_owned()).collect();
        RowReport { row: "F3", violations, ..RowReport::default() }
    }

    #[test]
    fn what_the_books_name_is_told_apart_and_a_mistake_that_nobody_noticed_is_missed() {
        let found =
            report(&["I3 pay_1: held", "I3 pay_2: held", "I10 ord_1: two", "It ended\nlog"]);
        let tried = [Tried::of("forget-void", &found), Tried::of("effect-twice", &report(&[]))];
        let books: Vec<&str> = tried[0].by_books.iter().map(String::as_str).collect();
        assert_eq!(books, ["I10", "I3"]);
        assert_eq!(tried[0].otherwise.as_deref(), Some("It ended"));
        assert_eq!(missed(&tried).into_iter().collect::<Vec<_>>(), ["effect-twice"]);
        assert!(table(&tried).contains("| forget-void | F3 | I10, I3 | It ended |"));
    }
}
