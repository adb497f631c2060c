//! Figures as Markdown for people and as JSON for programs.

use std::fmt::{self, Display, Write as _};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::Outcome;

/// What one command found out.
#[derive(Clone, Debug, Default)]
pub struct Section {
    pub title: String,
    /// What was done, so that a figure can be understood without reading the code.
    pub how: String,
    pub tables: Vec<Table>,
    pub notes: Vec<String>,
    /// What was wrong with the answers. Not empty: the command ends with 1.
    pub failures: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Table {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Text(String),
    Count(u64),
    /// With so many decimals.
    Number(f64, usize),
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn ms(time: Duration) -> Self {
        Self::Number(time.as_secs_f64() * 1e3, 1)
    }

    /// KiB, shown as MB of a million bytes.
    pub fn mb(kib: u64) -> Self {
        Self::Number(kib as f64 * 1024.0 / 1e6, 1)
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Count(count) => json!(count),
            Self::Number(number, _) => json!(number),
        }
    }
}

impl Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&text.replace('|', "\\|")),
            Self::Count(count) => f.write_str(&grouped(&count.to_string())),
            Self::Number(number, decimals) => {
                let text = format!("{number:.decimals$}");
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                f.write_str(&grouped(whole))?;
                if fraction.is_empty() { Ok(()) } else { write!(f, ".{fraction}") }
            }
        }
    }
}

/// `1234567` as `1,234,567`.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > 0 && left.is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Table {
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Self { title: title.to_owned(), columns, rows: Vec::new() }
    }

    /// A table of names and values.
    pub fn figures(title: &str) -> Self {
        Self::new(title, &["figure", "value", "unit"])
    }

    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    pub fn figure(&mut self, name: &str, value: Cell, unit: &str) {
        self.row(vec![Cell::text(name), value, Cell::text(unit)]);
    }

    fn markdown(&self, out: &mut String) {
        if !self.title.is_empty() {
            let _ = writeln!(out, "**{}**\n", self.title);
        }
        let _ = writeln!(out, "| {} |", self.columns.join(" | "));
        let rule: Vec<&str> = (0..self.columns.len())
            .map(|column| if column == 0 { "---" } else { "---:" })
            .collect();
        let _ = writeln!(out, "| {} |", rule.join(" | "));
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(Cell::to_string).collect();
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        }
        out.push('\n');
    }

    fn json(&self) -> Value {
        let object = |row: &Vec<Cell>| -> Value {
            let cells = self.columns.iter().cloned().zip(row.iter().map(Cell::json));
            Value::Object(cells.collect::<Map<_, _>>())
        };
        json!({ "title": self.title, "rows": self.rows.iter().map(object).collect::<Vec<_>>() })
    }
}

/// All of a run.
pub struct Report {
    pub conditions: Vec<(String, String)>,
    pub sections: Vec<Section>,
}

impl Report {
    pub fn markdown(&self) -> String {
        let mut out = String::from("# Measured\n\n");
        let mut conditions = Table::new("", &["condition", ""]);
        for (name, value) in &self.conditions {
            conditions.row(vec![Cell::text(name), Cell::text(value)]);
        }
        conditions.markdown(&mut out);
        for section in &self.sections {
            let _ = writeln!(out, "## {}\n\n{}\n", section.title, section.how);
            for table in &section.tables {
                table.markdown(&mut out);
            }
            for note in &section.notes {
                let _ = writeln!(out, "- {note}");
            }
            for failure in &section.failures {
                let _ = writeln!(out, "- **wrong**: {failure}");
            }
            out.push('\n');
        }
        out
    }

    pub fn json(&self) -> Value {
        let section = |section: &Section| {
            json!({
                "title": section.title, "how": section.how, "notes": section.notes,
                "failures": section.failures,
                "tables": section.tables.iter().map(Table::json).collect::<Vec<_>>(),
            })
        };
        let conditions: Map<String, Value> =
            self.conditions.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "conditions": conditions,
            "sections": self.sections.iter().map(section).collect::<Vec<_>>(),
        })
    }

    pub fn is_right(&self) -> bool {
        self.sections.iter().all(|section| section.failures.is_empty())
    }
}

/// Writes a file whose folder exists.
pub fn write(path: &Path, text: &str) -> Outcome<()> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The result, to standard output. A reader that went away is no failure.
pub fn print(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// What happens meanwhile, to standard error.
pub fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_rounded() {
        for (cell, text) in [
            (Cell::Count(0), "0"),
            (Cell::Count(1_234_567), "1,234,567"),
            (Cell::Number(1_999.96, 1), "2,000.0"),
            (Cell::Number(-1_234.4, 0), "-1,234"),
            (Cell::Number(-123.0, 0), "-123"),
            (Cell::mb(1_000), "1.0"),
        ] {
            assert_eq!(cell.to_string(), text);
        }
    }

    #[test]
    fn a_report_is_a_markdown_table_and_its_json_keeps_the_digits() {
        let mut table = Table::figures("Sums");
        table.figure("rate", Cell::Number(1_500.25, 1), "a second");
        let section = Section { title: "Load".into(), tables: vec![table], ..Section::default() };
        let report =
            Report { conditions: vec![("CPU".into(), "a|b".into())], sections: vec![section] };
        let text = report.markdown();
        assert!(text.contains("| CPU | a\\|b |"), "{text}");
        assert!(text.contains("| rate | 1,500.2 | a second |"), "{text}");
        assert_eq!(report.json()["sections"][0]["tables"][0]["rows"][0]["value"], 1_500.25);
        assert!(report.is_right());
    }
}
