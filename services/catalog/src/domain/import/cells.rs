//! Single cells: reading them, and noting what is wrong with them.

use kernel::{Currency, Money};

use super::columns::Layout;
use super::report::RowError;
use super::rows::Record;
use crate::domain::export::unguard;
use crate::domain::product::{address_fault, limits};

/// Errors and warnings of one group, with the names of their columns.
pub struct Notes<'a> {
    layout: &'a Layout,
    errors: Vec<RowError>,
    warnings: Vec<RowError>,
}

/// A product with more errors than this is broken enough.
const MAX_NOTES: usize = 200;

/// One cell with its place.
#[derive(Clone, Copy)]
pub struct Cell<'a> {
    pub line: u64,
    pub index: usize,
    /// Without outer blanks and without the guard against formulas.
    pub text: &'a str,
    /// As it stands in the file, without the guard.
    pub raw: &'a str,
}

impl<'a> Cell<'a> {
    pub fn of(record: &'a Record, index: usize) -> Self {
        let raw = unguard(record.cell(index));
        Self { line: record.line, index, text: unguard(record.cell(index).trim()), raw }
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn owned(&self) -> String {
        self.text.to_owned()
    }

    /// Splits at bars, commas or the like; parts are trimmed, empty ones dropped.
    pub fn list(&self, separator: char) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        for part in self.text.split(separator).map(str::trim) {
            if !part.is_empty() && !parts.iter().any(|p| p == part) {
                parts.push(part.to_owned());
            }
        }
        parts
    }
}

impl<'a> Notes<'a> {
    pub fn new(layout: &'a Layout) -> Self {
        Self { layout, errors: Vec::new(), warnings: Vec::new() }
    }

    pub fn finish(self) -> (Vec<RowError>, Vec<RowError>) {
        (self.errors, self.warnings)
    }

    pub fn error(&mut self, cell: Cell<'_>, message: impl Into<String>) {
        let name = self.layout.name(cell.index);
        push(&mut self.errors, RowError::new(cell.line, name, cell.text, message));
    }

    pub fn warn(&mut self, cell: Cell<'_>, message: impl Into<String>) {
        let name = self.layout.name(cell.index);
        push(&mut self.warnings, RowError::new(cell.line, name, cell.text, message));
    }

    pub fn row_error(&mut self, line: u64, column: Option<&str>, message: impl Into<String>) {
        push(&mut self.errors, RowError::new(line, column, "", message));
    }

    pub fn row_warning(&mut self, line: u64, message: impl Into<String>) {
        push(&mut self.warnings, RowError::new(line, None, "", message));
    }

    pub fn push_error(&mut self, error: RowError) {
        push(&mut self.errors, error);
    }

    /// Notes what is wrong with a record as a whole: its encoding, its quotes, its length.
    pub fn take_fault(&mut self, record: &Record) {
        if let Some((index, message)) = &record.fault {
            let cell =
                Cell { line: record.line, index: *index, text: record.cell(*index), raw: "" };
            self.error(cell, message.clone());
            return;
        }
        let width = self.layout.columns.len();
        for index in width..record.len() {
            let cell = Cell::of(record, index);
            if !cell.is_empty() {
                let message = format!("the row has {} cells, the header has {width}", record.len());
                self.error(cell, message);
                return;
            }
        }
    }

    /// A text of at most `max` characters.
    pub fn text(&mut self, cell: Cell<'_>, max: usize) -> String {
        self.limit(cell, cell.text, max);
        cell.owned()
    }

    /// A text that keeps its outer blanks, as descriptions do.
    pub fn verbatim(&mut self, cell: Cell<'_>, max: usize) -> String {
        self.limit(cell, cell.raw, max);
        if cell.text.is_empty() { String::new() } else { cell.raw.to_owned() }
    }

    /// The address of a picture; an error when a browser should not be sent there.
    pub fn address(&mut self, cell: Cell<'_>, url: &str) -> String {
        self.limit(cell, url, limits::URL_CHARS);
        if let Some(fault) = address_fault(url) {
            self.error(cell, fault);
        }
        url.to_owned()
    }

    /// Addresses joined by bars.
    pub fn addresses(&mut self, cell: Cell<'_>) -> Vec<String> {
        let urls = cell.list('|');
        for url in &urls {
            self.address(cell, url);
        }
        urls
    }

    fn limit(&mut self, cell: Cell<'_>, text: &str, max: usize) {
        if text.len() > max && text.chars().count() > max {
            self.error(cell, format!("has at most {max} characters"));
        }
        if text.contains('\0') {
            self.error(cell, "holds a NUL character");
        }
    }

    /// `true`, `false` and what people write for them; `None` when empty or wrong.
    pub fn flag(&mut self, cell: Cell<'_>) -> Option<bool> {
        match cell.text.to_ascii_lowercase().as_str() {
            "" => None,
            "true" | "yes" | "y" | "1" | "t" => Some(true),
            "false" | "no" | "n" | "0" | "f" => Some(false),
            _ => {
                self.error(cell, "is TRUE or FALSE");
                None
            }
        }
    }

    /// A price of zero or more in minor units; `None` when empty or wrong.
    pub fn amount(&mut self, cell: Cell<'_>, currency: Currency) -> Option<i64> {
        if cell.is_empty() {
            return None;
        }
        match Money::parse_decimal(cell.text, currency) {
            Ok(money) if money.amount_minor() >= 0 => Some(money.amount_minor()),
            Ok(_) => {
                self.error(cell, "a price is not negative");
                None
            }
            Err(error) => {
                self.error(cell, format!("is a price in {currency} such as 19.99: {error}"));
                None
            }
        }
    }

    /// A whole number of units, possibly negative; a fraction of zeros is accepted.
    pub fn count(&mut self, cell: Cell<'_>) -> Option<i64> {
        if cell.is_empty() {
            return None;
        }
        let whole = match cell.text.split_once('.') {
            Some((whole, zeros)) if zeros.bytes().all(|b| b == b'0') => whole,
            _ => cell.text,
        };
        match whole.parse::<i64>() {
            Ok(count) if count.abs() <= 1_000_000_000 => Some(count),
            _ => {
                self.error(cell, "is a whole number of at most 1,000,000,000");
                None
            }
        }
    }

    /// A decimal number as millionths; `None` when empty or wrong.
    pub fn decimal(&mut self, cell: Cell<'_>) -> Option<u64> {
        if cell.is_empty() {
            return None;
        }
        let (whole, fraction) = cell.text.split_once('.').unwrap_or((cell.text, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let fits = (1..=9).contains(&whole.len()) || (whole.is_empty() && !fraction.is_empty());
        if !fits || !digits(whole) || !digits(fraction) {
            self.error(cell, "is a number such as 250 or 0.5, not negative");
            return None;
        }
        let kept: String = fraction.chars().chain("000000".chars()).take(6).collect();
        let whole: u64 = whole.parse().unwrap_or(0);
        Some(whole * 1_000_000 + kept.parse::<u64>().unwrap_or(0))
    }
}

fn push(list: &mut Vec<RowError>, error: RowError) {
    if list.len() < MAX_NOTES {
        list.push(error);
    }
}
