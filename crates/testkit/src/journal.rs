//! What a client remembers: each purchase it asked for, and what it was told.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::client::{NoAnswer, Reply};

/// What became of a request, as far as the client knows.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Answered with the order at its end.
    Ok(Value),
    /// Refused: nothing was sold.
    Fail(u16),
    /// No answer, or one that leaves it open: it may have been done.
    Unknown,
}

/// One purchase: asked for under one key until somebody answers.
#[derive(Clone, Debug)]
pub struct Entry {
    pub cart: String,
    pub key: String,
    pub variant: String,
    pub units: u32,
    pub total_minor: i64,
    pub outcome: Outcome,
}

/// The purchases of all buyers, in the order of their ends.
#[derive(Default)]
pub struct Journal(Mutex<Vec<Entry>>);

impl Outcome {
    pub fn of(answer: Result<Reply, NoAnswer>) -> Self {
        match answer {
            Ok(reply) if reply.status == 201 => Self::Ok(reply.body),
            // Still at work, or not able to tell.
            Ok(reply) if reply.status == 202 || reply.status.is_server_error() => Self::Unknown,
            Ok(reply) if reply.status == 409 && reply.slug().contains("progress") => Self::Unknown,
            Ok(reply) => Self::Fail(reply.status.as_u16()),
            Err(NoAnswer(_)) => Self::Unknown,
        }
    }
}

impl Journal {
    pub fn note(&self, entry: Entry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many ended well, were refused, and stayed open.
    pub fn counts(&self) -> (usize, usize, usize) {
        let mut counts = (0, 0, 0);
        for entry in self.entries() {
            match entry.outcome {
                Outcome::Ok(_) => counts.0 += 1,
                Outcome::Fail(_) => counts.1 += 1,
                Outcome::Unknown => counts.2 += 1,
            }
        }
        counts
    }
}

/// Fails unless the numbers of `orders` are 1, 2, 3 … without a gap and without a second.
pub fn check_numbers(orders: &[Value]) {
    let numbers: Vec<u64> = orders.iter().filter_map(|order| order["number"].as_u64()).collect();
    let distinct: BTreeSet<u64> = numbers.iter().copied().collect();
    assert_eq!(distinct.len(), numbers.len(), "a number was given twice");
    let (Some(first), Some(last)) = (distinct.first(), distinct.last()) else { return };
    let span = (last - first + 1) as usize;
    assert_eq!(span, numbers.len(), "numbers from {first} to {last} have gaps");
}
