//! The test provider's own ledger: a line of JSON for each thing that it did, in a file that no
//! service reads back to tell its story.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use kernel::Timestamp;
use rusqlite::CachedStatement;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::shape::{Id, word};
use crate::snapshot::Snapshot;
use crate::{Error, Look, Place};

const NAME: &str = "test-provider.jsonl";
/// Far longer than any line of the ledger.
const LONGEST_LINE: u64 = 64 << 10;

#[derive(Debug, Deserialize)]
struct Line {
    at: Timestamp,
    operation: String,
    key: String,
    #[serde(default)]
    charge: Option<String>,
    #[serde(default)]
    order: Option<String>,
    amount_minor: i64,
    currency: String,
    verdict: Value,
}

/// Reads what it did into `charge` and `provider_key`. False when there is no ledger.
pub fn read(book: &Snapshot, look: &Look<'_>) -> Result<bool, Error> {
    let path = look.provider.join(NAME);
    if let Place::Memory(rows) = look.shop {
        read_lines(book, &path, rows.ledger())?;
        return Ok(true);
    }
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::File(path, error)),
    };
    read_lines(book, &path, BufReader::new(file))?;
    Ok(true)
}

fn read_lines(book: &Snapshot, path: &Path, mut reader: impl BufRead) -> Result<(), Error> {
    let mut keys = book.prepare(
        "INSERT INTO provider_key VALUES (?, ?, 1) \
         ON CONFLICT (key) DO UPDATE SET times = times + 1 RETURNING times",
    )?;
    let mut tables = Tables::open(book)?;
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut text);
        read.map_err(|error| Error::File(path.to_owned(), error))?;
        // The last line may be cut off, or be written right now: it was not answered.
        if text.last() != Some(&b'\n') {
            break;
        }
        let line: Line =
            serde_json::from_slice(&text).map_err(|_| Error::Ledger(path.to_owned(), number))?;
        if !matches!(word(&line.verdict), "done" | "from") {
            continue;
        }
        let times: i64 = keys.query_row((&line.key, &line.operation), |row| row.get(0))?;
        // What was done twice under one key is told as that, and counted once.
        if times == 1 {
            tables.apply(&line)?;
        }
    }
    Ok(())
}

struct Tables<'a> {
    charge: CachedStatement<'a>,
    capture: CachedStatement<'a>,
    refund: CachedStatement<'a>,
    void: CachedStatement<'a>,
}

impl<'a> Tables<'a> {
    fn open(book: &'a Snapshot) -> Result<Self, Error> {
        let on_charge = |set: &str| {
            book.prepare(&format!(
                "UPDATE charge SET {set}, last_at = max(last_at, ?2) WHERE reference = ?3"
            ))
        };
        Ok(Self {
            charge: book
                .prepare("INSERT OR IGNORE INTO charge VALUES (?, ?, ?, ?, ?, 0, 0, 0, ?, ?)")?,
            capture: on_charge("captured = captured + ?1")?,
            refund: on_charge("refunded = refunded + ?1")?,
            void: on_charge("voided = ?1 >= 0")?,
        })
    }

    fn apply(&mut self, line: &Line) -> Result<(), Error> {
        // An authorization that takes its time is one from then on.
        let from = line.verdict["from"].as_str().and_then(|text| text.parse().ok());
        let at = line.at.max(from.unwrap_or(line.at)).as_micros();
        let id = |text: &str| Id::parse(text).map(|id| *id.0.as_bytes());
        if line.operation == "authorize" {
            let order = line.order.as_deref().and_then(id);
            let reference = reference(&line.key);
            let row =
                (reference, &line.key, id(&line.key), order, line.amount_minor, &line.currency, at);
            self.charge.execute(row)?;
            return Ok(());
        }
        let statement = match line.operation.as_str() {
            "capture" => &mut self.capture,
            "refund" => &mut self.refund,
            _ => &mut self.void,
        };
        statement.execute((line.amount_minor, at, &line.charge))?;
        Ok(())
    }
}

/// How the provider names the charge that it made under `key`.
fn reference(key: &str) -> String {
    let hash = Sha256::digest(key.as_bytes());
    let hex = hash[..16].iter().map(|byte| format!("{byte:02x}"));
    format!("ch_{}", hex.collect::<String>())
}
