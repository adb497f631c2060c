//! What two databases are compared by: how many rows, and a hash over all of them in the order of
//! their keys.
//!
//! Rows are written down in one way, whatever database they come from. Documents are compared by
//! what they say: PostgreSQL keeps neither the order of their keys nor how a number was written.

use std::fmt;

use serde_json::{Number, Value};
use sha2::{Digest as _, Sha256};

use super::table::Cell;

/// Equal exactly when the rows are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    pub rows: u64,
    pub sha256: [u8; 32],
}

/// The first characters, for people who compare with their eyes.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = self.sha256[..8].iter().map(|byte| format!("{byte:02x}"));
        write!(f, "{}", hex.collect::<String>())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({} rows, {self})", self.rows)
    }
}

#[derive(Default)]
pub(super) struct Digester {
    rows: u64,
    hash: Sha256,
    buffer: Vec<u8>,
}

impl Digester {
    pub fn add(&mut self, row: &[Cell]) {
        self.rows += 1;
        self.buffer.clear();
        for cell in row {
            write(cell, &mut self.buffer);
        }
        self.hash.update((self.buffer.len() as u64).to_be_bytes());
        self.hash.update(&self.buffer);
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn finish(self) -> Digest {
        Digest { rows: self.rows, sha256: self.hash.finalize().into() }
    }
}

/// Each value begins with what it is, and with its length if that is not fixed, so that no two rows
/// are written alike.
fn write(cell: &Cell, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => out.push(b'0'),
        Cell::Int(value) => {
            out.push(b'i');
            out.extend(value.to_be_bytes());
        }
        Cell::Uuid(id) => {
            out.push(b'u');
            out.extend(id.as_bytes());
        }
        Cell::Text(text) => sized(b't', text.as_bytes(), out),
        Cell::Bytes(bytes) => sized(b'b', bytes, out),
        Cell::Json(text) => match serde_json::from_str(text) {
            Ok(value) => document(&value, out),
            Err(_) => sized(b'?', text.as_bytes(), out),
        },
    }
}

fn sized(mark: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(mark);
    out.extend((bytes.len() as u64).to_be_bytes());
    out.extend(bytes);
}

fn document(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(b'n'),
        Value::Bool(value) => out.push(if *value { b'T' } else { b'F' }),
        Value::Number(value) => number(value, out),
        Value::String(text) => sized(b's', text.as_bytes(), out),
        Value::Array(values) => {
            out.push(b'[');
            out.extend((values.len() as u64).to_be_bytes());
            for value in values {
                document(value, out);
            }
        }
        Value::Object(fields) => {
            out.push(b'{');
            out.extend((fields.len() as u64).to_be_bytes());
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            for (name, value) in fields {
                sized(b's', name.as_bytes(), out);
                document(value, out);
            }
        }
    }
}

/// 1, 1.0 and 1e0 are one number.
fn number(value: &Number, out: &mut Vec<u8>) {
    if let Some(whole) = value.as_i64() {
        out.push(b'#');
        out.extend(whole.to_be_bytes());
        return;
    }
    let float = value.as_f64().unwrap_or(f64::NAN);
    // Below 2^53 every whole number is a float, and none stands for two.
    if float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 {
        out.push(b'#');
        out.extend((float as i64).to_be_bytes());
        return;
    }
    if let Some(whole) = value.as_u64() {
        out.push(b'+');
        out.extend(whole.to_be_bytes());
        return;
    }
    out.push(b'~');
    out.extend(float.to_bits().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[&[Cell]]) -> Digest {
        let mut digester = Digester::default();
        for row in rows {
            digester.add(row);
        }
        digester.finish()
    }

    fn json(text: &str) -> Digest {
        of(&[&[Cell::Json(text.to_owned())]])
    }

    #[test]
    fn documents_that_say_the_same_are_the_same() {
        assert_eq!(json(r#"{"a":1,"b":[true,null]}"#), json(r#"{ "b": [true, null], "a": 1.0 }"#));
        assert_eq!(json("1e2"), json("100"));
        assert_eq!(json("1.50"), json("1.5"));
        assert_eq!(json(r#""\u00e9""#), json("\"\u{e9}\""));
        assert_eq!(json("18446744073709551615"), json("18446744073709551615"));
    }

    #[test]
    fn documents_that_say_something_else_are_not() {
        let all = [
            "1",
            "1.5",
            "\"1\"",
            "true",
            "null",
            "[]",
            "{}",
            "[1]",
            "[[1]]",
            "[1,2]",
            "[2,1]",
            "{\"a\":1}",
            "{\"a\":null}",
            "{\"b\":1}",
            "9007199254740993",
            "9007199254740992",
            "18446744073709551615",
            "18446744073709551614",
            "\"\"",
            "[\"ab\",\"c\"]",
            "[\"a\",\"bc\"]",
        ];
        for (at, one) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                assert_ne!(json(one), json(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn what_is_in_one_cell_is_not_what_is_in_two() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let digests = [
            of(&[&[text("a"), text("b")]]),
            of(&[&[text("ab"), text("")]]),
            of(&[&[text("a")], &[text("b")]]),
            of(&[&[text("b")], &[text("a")]]),
            of(&[&[text("a"), Cell::Null]]),
            of(&[&[Cell::Bytes(b"a".to_vec()), Cell::Null]]),
            of(&[]),
        ];
        for (at, one) in digests.iter().enumerate() {
            assert!(digests[at + 1..].iter().all(|other| other != one));
        }
    }
}
