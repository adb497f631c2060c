//! What came of it: a line a row for people, and JSON for programs.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

/// Of one row.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RowReport {
    pub row: &'static str,
    pub fault: String,
    pub topology: String,
    /// How often the fault came.
    pub runs: u64,
    /// Requests of buyers.
    pub operations: u64,
    pub sold: u64,
    /// Of those, by their buyers.
    pub cancelled: u64,
    /// Parts of payments that staff gave back.
    pub refunded: u64,
    /// Keys that came again with another body.
    pub sent_again: u64,
    pub refused: u64,
    /// Of those, because nothing was left.
    pub sold_out: u64,
    /// Purchases of which the buyer never heard what became of them.
    pub unknown: u64,
    /// Rows, requests and charges that the checker compared.
    pub compared: u64,
    pub violations: Vec<String>,
    /// Checkouts that were answered at the first try while something was broken, in percent.
    pub availability: Option<f64>,
    /// The slowest answer to a checkout.
    pub slowest_ms: u64,
    /// From the end of the fault to readiness; of several runs the longest.
    pub ready_ms: Option<u64>,
    /// From the last purchase until every invariant held; the longest.
    pub converge_ms: Option<u64>,
    pub notes: Vec<String>,
    /// Why the row could not be run here.
    pub skipped: Option<String>,
    pub seconds: u64,
}

/// Of a whole run.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    pub version: &'static str,
    pub short: bool,
    pub processors: usize,
    pub build: &'static str,
    pub rows: Vec<RowReport>,
}

impl RowReport {
    pub fn skip(why: impl Into<String>) -> Self {
        Self { skipped: Some(why.into()), ..Self::default() }
    }

    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub fn ready(&mut self, took: std::time::Duration) {
        let took = took.as_millis() as u64;
        self.ready_ms = Some(self.ready_ms.map_or(took, |before| before.max(took)));
    }

    /// Another run of the same row: what is counted is added, of times the longest counts.
    pub fn merge(&mut self, other: Self) {
        self.runs += other.runs;
        self.operations += other.operations;
        self.sold += other.sold;
        self.cancelled += other.cancelled;
        self.refunded += other.refunded;
        self.sent_again += other.sent_again;
        self.refused += other.refused;
        self.sold_out += other.sold_out;
        self.unknown += other.unknown;
        self.compared += other.compared;
        self.violations.extend(other.violations);
        self.notes.extend(other.notes);
        self.slowest_ms = self.slowest_ms.max(other.slowest_ms);
        self.ready_ms = self.ready_ms.max(other.ready_ms);
        self.converge_ms = self.converge_ms.max(other.converge_ms);
        self.availability = match (self.availability, other.availability) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
    }

    pub fn converged(&mut self, took: std::time::Duration) {
        let took = took.as_millis() as u64;
        self.converge_ms = Some(self.converge_ms.map_or(took, |before| before.max(took)));
    }
}

impl RunReport {
    pub fn violations(&self) -> usize {
        self.rows.iter().map(|row| row.violations.len()).sum()
    }

    /// As Markdown, with what went wrong below.
    pub fn table(&self) -> String {
        let mut text = String::from(
            "| row | fault | topology | runs | requests | sold | violations | availability | ready | converged |\n\
             |---|---|---|---|---|---|---|---|---|---|\n",
        );
        for row in &self.rows {
            if let Some(why) = &row.skipped {
                let (name, fault) = (row.row, &row.fault);
                let _ = writeln!(text, "| {name} | {fault} | SKIPPED: {why} | | | | | | | |");
                continue;
            }
            let availability = row.availability.map_or("–".to_owned(), |a| format!("{a:.1} %"));
            let seconds = |ms: Option<u64>| {
                ms.map_or("–".to_owned(), |ms| format!("{:.1} s", ms as f64 / 1_000.0))
            };
            let RowReport { row: name, fault, topology, runs, operations, sold, .. } = row;
            let _ = writeln!(
                text,
                "| {name} | {fault} | {topology} | {runs} | {operations} | {sold} | {} | {availability} | {} | {} |",
                row.violations.len(),
                seconds(row.ready_ms),
                seconds(row.converge_ms),
            );
        }
        for row in self.rows.iter().filter(|row| row.sold > 0) {
            let RowReport { row: name, cancelled, refunded, sent_again, refused, .. } = row;
            let _ = writeln!(
                text,
                "{name}: {cancelled} cancelled, {refunded} parts refunded, {sent_again} keys sent again with \
                 another body; {refused} purchases refused, {} of them sold out",
                row.sold_out
            );
        }
        for row in &self.rows {
            for note in &row.notes {
                let _ = writeln!(text, "{}: {note}", row.row);
            }
            for violation in &row.violations {
                let _ = writeln!(text, "{}: VIOLATION: {violation}", row.row);
            }
        }
        text
    }

    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        std::fs::write(path, json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_row_is_told_of_and_a_violation_is_shown() {
        let broken = RowReport {
            row: "F2",
            violations: vec!["I5 ord_1: gone".to_owned()],
            availability: Some(97.25),
            ..RowReport::default()
        };
        let skipped = RowReport { row: "F13", ..RowReport::skip("no tmpfs") };
        let run = RunReport {
            version: "0",
            short: true,
            processors: 2,
            build: "debug",
            rows: vec![broken, skipped],
        };
        let table = run.table();
        assert!(table.contains("SKIPPED: no tmpfs"), "{table}");
        assert!(table.contains("F2: VIOLATION: I5 ord_1: gone"), "{table}");
        assert!(table.contains("97.2 %"), "{table}");
        assert_eq!(run.violations(), 1);
    }
}
