//! What a client remembers: each purchase that it asked for, under which key, and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Timestamp;
use kernel::id::{Uuid, encode};
use serde_json::Value;

use crate::Error;
use crate::answers::Known;
use crate::report::{Invariant, Report};
use crate::shape::{Id, Told};
use crate::snapshot::Snapshot;

/// What became of a request, as far as the client knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Answered with the order at the end of its checkout, as JSON.
    Ok(Value),
    /// Refused: nothing was sold by it.
    Fail,
    /// No answer, or one that leaves it open.
    Unknown,
}

/// One request to complete a cart.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `cart_…`
    pub cart: String,
    pub key: String,
    /// Of what was sent; the same key with another body is another request, and is refused.
    pub body_hash: String,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    pub requests: Vec<Request>,
    /// Nobody else has bought in this shop: an order that no request asked for is one too many.
    pub is_all: bool,
}

/// One request with a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// `ses_…`
    pub session: String,
    /// When it was sent.
    pub at: Timestamp,
    /// Was it answered as one who is signed in?
    pub was_served: bool,
}

/// A cart's requests.
#[derive(Default)]
struct Asked {
    /// Some request may have sold it.
    may_be_sold: bool,
}

pub fn check(book: &Snapshot, journal: &Journal, report: &mut Report) -> Result<(), Error> {
    let mut known = Known::open(book)?;
    let mut carts: BTreeMap<Uuid, Asked> = BTreeMap::new();
    let mut keys: BTreeMap<&str, (&str, BTreeSet<Uuid>)> = BTreeMap::new();
    for request in &journal.requests {
        let cart = Id::parse(&request.cart).map(|cart| cart.0);
        let asked = cart.map(|cart| carts.entry(cart).or_default());
        if let Some(asked) = asked {
            asked.may_be_sold |= request.outcome != Outcome::Fail;
        }
        let Outcome::Ok(body) = &request.outcome else { continue };
        let Ok(told) = serde_json::from_value::<Told>(body.clone()) else {
            let key = format!("key {}", request.key);
            report.at(Invariant::I5).violated(key, "its answer is not an order");
            continue;
        };
        if let Some(why) = known.differs(&told)? {
            report.at(Invariant::I5).violated(encode("ord", told.id.0), why);
        } else if known.cart_of(told.id.0)?.map(|(cart, _)| cart) != cart {
            let what = format!("it was told for {}, which did not make it", request.cart);
            report.at(Invariant::I6).violated(encode("ord", told.id.0), what);
        }
        let entry = keys.entry(&request.key);
        let (hash, orders) = entry.or_insert((&request.body_hash, BTreeSet::new()));
        if *hash != request.body_hash {
            let key = format!("key {}", request.key);
            report.at(Invariant::I6).violated(key, "another body under it was not refused");
        }
        orders.insert(told.id.0);
    }
    for (key, (_, orders)) in &keys {
        if orders.len() > 1 {
            let what = format!("it was answered with {} different orders", orders.len());
            report.at(Invariant::I6).violated(format!("key {key}"), what);
        }
    }
    let requests = journal.requests.len() as u64;
    for invariant in [Invariant::I5, Invariant::I6, Invariant::I10] {
        report.at(invariant).looked_at(requests, "requests of the journal");
    }
    asked_for(book, journal, &carts, report)
}

/// No live order without a request that may have made it.
fn asked_for(
    book: &Snapshot,
    journal: &Journal,
    carts: &BTreeMap<Uuid, Asked>,
    report: &mut Report,
) -> Result<(), Error> {
    let finding = report.at(Invariant::I10);
    book.each("SELECT id, cart FROM seen_order WHERE status IN ('confirmed', 'cancelled')", |row| {
        let (id, cart): ([u8; 16], [u8; 16]) = (row.get(0)?, row.get(1)?);
        let why = match carts.get(&Uuid::from_bytes(cart)) {
            Some(asked) if !asked.may_be_sold => "every request for it was refused",
            None if journal.is_all => "nobody asked for it",
            _ => return Ok(()),
        };
        finding.violated_by("ord", Uuid::from_bytes(id), why);
        Ok(())
    })
}
