//! Migrations and SQL text: the same on every engine, and nothing decided by the database's clock.

use std::collections::{BTreeMap, BTreeSet};

use super::{File, Finding, source::Source};
use crate::project::has_extension;

/// Words that SQL of ours does not hold, and what to do instead.
const FORBIDDEN_WORDS: [(&str, &str); 12] = [
    ("current_timestamp", "time is a parameter in microseconds, from the clock port"),
    ("current_date", "time is a parameter in microseconds, from the clock port"),
    ("current_time", "time is a parameter in microseconds, from the clock port"),
    ("autoincrement", "ids are UUIDv7 from the id port"),
    ("auto_increment", "ids are UUIDv7 from the id port"),
    ("serial", "ids are UUIDv7 from the id port"),
    ("bigserial", "ids are UUIDv7 from the id port"),
    ("smallserial", "ids are UUIDv7 from the id port"),
    ("offset", "page by key: the last key of the page before is where the next one starts"),
    ("real", "money and quantities are BIGINT"),
    ("float", "money and quantities are BIGINT"),
    ("timestamptz", "time is BIGINT microseconds"),
];

const FORBIDDEN_CALLS: [(&str, &str); 6] = [
    ("now", "time is a parameter in microseconds, from the clock port"),
    ("datetime", "time is a parameter in microseconds, from the clock port"),
    ("strftime", "time is a parameter in microseconds, from the clock port"),
    ("unixepoch", "time is a parameter in microseconds, from the clock port"),
    ("random", "randomness comes from the rng port"),
    ("gen_random_uuid", "ids are UUIDv7 from the id port"),
];

/// Beginnings of statements; a literal with none of them is not SQL.
const STATEMENTS: [&str; 8] = [
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE FROM",
    "CREATE TABLE",
    "CREATE INDEX",
    "ALTER TABLE",
    "WITH ",
];

/// A `.sql` file.
pub fn file(file: &File) -> Vec<Finding> {
    file.text
        .lines()
        .enumerate()
        .flat_map(|(number, line)| {
            let code = line.split("--").next().unwrap_or_default();
            faults(code).into_iter().map(move |fault| Finding::new(&file.path, number + 1, fault))
        })
        .collect()
}

/// SQL in the string literals of the platform and of services.
pub fn literals(path: &str, source: &Source) -> Vec<Finding> {
    if !(path.starts_with("crates/platform/src/") || path.starts_with("services/")) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for literal in source.literals.iter().filter(|literal| !literal.in_test) {
        if !STATEMENTS.iter().any(|start| literal.text.contains(start)) {
            continue;
        }
        for (number, line) in literal.text.lines().enumerate() {
            let code = line.split("--").next().unwrap_or_default();
            for fault in faults(code) {
                found.push(Finding::new(path, literal.line + number, fault));
            }
        }
    }
    found
}

fn faults(line: &str) -> Vec<String> {
    let lower = line.to_lowercase();
    let mut found = Vec::new();
    let mut rest = lower.as_str();
    while let Some(start) = rest.find(|letter: char| letter.is_alphanumeric() || letter == '_') {
        let tail = &rest[start..];
        let end = tail
            .find(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
            .unwrap_or(tail.len());
        let (word, after) = tail.split_at(end);
        let called = after.trim_start().starts_with('(');
        let fault = FORBIDDEN_WORDS
            .iter()
            .find(|(forbidden, _)| *forbidden == word)
            .or_else(|| FORBIDDEN_CALLS.iter().find(|(call, _)| called && *call == word));
        if let Some((_, instead)) = fault {
            found.push(format!("SQL says `{word}`; {instead}"));
        }
        rest = after;
    }
    found
}

/// `services/<service>/migrations/<engine>/NNNN_name.sql`: numbers without a gap from 1, and the
/// same names for each engine.
pub fn migrations(files: &[File]) -> Vec<Finding> {
    let mut folders: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for file in files.iter().filter(|file| has_extension(&file.path, "sql")) {
        let Some((owner, inside)) = file.path.split_once("/migrations/") else {
            continue;
        };
        let (engine, name) = inside.split_once('/').unwrap_or(("", inside));
        folders.entry(owner).or_default().entry(engine).or_default().insert(name);
    }
    let mut found = Vec::new();
    for (owner, engines) in folders {
        let all: BTreeSet<&str> = engines.values().flatten().copied().collect();
        for (engine, names) in &engines {
            let folder = format!("{owner}/migrations/{engine}");
            found.extend(numbering(&folder, names));
            for missing in all.difference(names) {
                found.push(Finding::new(
                    &format!("{folder}/{missing}"),
                    1,
                    "another engine has this migration; every engine has the same ones",
                ));
            }
        }
    }
    found
}

fn numbering(folder: &str, names: &BTreeSet<&str>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (expected, name) in (1_u32..).zip(names) {
        let number = name.split_once('_').map(|(number, _)| number).unwrap_or_default();
        if number.len() != 4 || number.parse() != Ok(expected) {
            found.push(Finding::new(
                &format!("{folder}/{name}"),
                1,
                format!("its name must start with {expected:04}_: numbers have no gap and no twin"),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(text: &str) -> Vec<usize> {
        let found = file(&File { path: "a.sql".to_owned(), text: text.to_owned() });
        found.into_iter().map(|finding| finding.line).collect()
    }

    fn migrations_of(paths: &[&str]) -> Vec<String> {
        let files: Vec<File> = paths
            .iter()
            .map(|path| File { path: (*path).to_owned(), text: String::new() })
            .collect();
        migrations(&files).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn each_forbidden_word_and_call_is_caught() {
        for (word, _) in FORBIDDEN_WORDS {
            assert_eq!(sql(&format!("SELECT 1;\nSELECT {}", word.to_uppercase())), [2], "{word}");
        }
        for (call, _) in FORBIDDEN_CALLS {
            assert_eq!(sql(&format!("SELECT {call} ()")), [1], "{call}");
        }
    }

    #[test]
    fn columns_and_comments_that_only_resemble_them_are_fine() {
        assert!(sql("SELECT now, serial_number, offset_us FROM a -- now()\n-- OFFSET").is_empty());
    }

    #[test]
    fn sql_in_a_literal_is_read_and_other_literals_are_not() {
        let source = Source::parse(
            "let a = \"SELECT x\n FROM y\n OFFSET 5\";\nlet b = \"the byte offset\";\n#[cfg(test)]\nmod t { const C: &str = \"SELECT now()\"; }",
        );
        let found = literals("services/a/src/adapters/queries/b.rs", &source);
        assert_eq!((found.len(), found[0].line), (1, 3));
        assert!(literals("xtask/src/a.rs", &source).is_empty());
    }

    #[test]
    fn a_gap_a_twin_and_a_missing_engine_are_caught() {
        let folder = "services/a/migrations/sqlite";
        let gap =
            migrations_of(&[&format!("{folder}/0001_a.sql"), &format!("{folder}/0003_b.sql")]);
        assert!(gap.len() == 1 && gap[0].contains("0002_"), "{gap:?}");
        let twin =
            migrations_of(&[&format!("{folder}/0001_a.sql"), &format!("{folder}/0001_b.sql")]);
        assert_eq!(twin.len(), 1);
        let missing = migrations_of(&[
            "services/a/migrations/sqlite/0001_a.sql",
            "services/a/migrations/sqlite/0002_b.sql",
            "services/a/migrations/postgres/0001_a.sql",
        ]);
        assert!(missing.len() == 1 && missing[0].contains("postgres/0002_b.sql"), "{missing:?}");
        assert!(migrations_of(&["services/a/migrations/sqlite/0001_a.sql"]).is_empty());
    }
}
