//! The answers that are kept for idempotency keys: what buyers were told, for as long as it is kept.

use kernel::id::{Uuid, encode};

use crate::Error;
use crate::report::{Invariant, Report};
use crate::shape::Told;
use crate::snapshot::Snapshot;

pub fn check(book: &Snapshot, report: &mut Report) -> Result<(), Error> {
    let finding = report.at(Invariant::I5);
    let mut known = Known::open(book)?;
    let mut count = 0;
    let sql = "SELECT key, body FROM main.idempotency \
               WHERE status = 201 AND route LIKE '%/complete'";
    book.each(sql, |row| {
        count += 1;
        let key: String = row.get(0)?;
        let Ok(told) = serde_json::from_slice::<Told>(row.get_ref(1)?.as_blob().unwrap_or(b""))
        else {
            finding.violated(format!("key {key}"), "the answer kept for it is not an order");
            return Ok(());
        };
        if let Some(why) = known.differs(&told)? {
            finding.violated(encode("ord", told.id.0), why);
        }
        Ok(())
    })?;
    finding.looked_at(count, "kept answers");
    // Owner, route and key are the primary key of the answers: there is one of each by the schema.
    report.at(Invariant::I6).looked_at(count, "kept answers");
    Ok(())
}

/// The orders that are there.
pub struct Known<'a> {
    find: rusqlite::CachedStatement<'a>,
}

impl<'a> Known<'a> {
    pub fn open(book: &'a Snapshot) -> Result<Self, Error> {
        let sql = "SELECT total, currency, goods, status, cart FROM seen_order WHERE id = ?";
        Ok(Self { find: book.prepare(sql)? })
    }

    /// How the order that somebody was told of differs from the one that is there, if it does.
    pub fn differs(&mut self, told: &Told) -> Result<Option<String>, Error> {
        let mut rows = self.find.query([told.id.0.as_bytes()])?;
        let Some(row) = rows.next()? else {
            return Ok(Some("a buyer was told of it, and it is not there".to_owned()));
        };
        let (total, currency): (i64, String) = (row.get(0)?, row.get(1)?);
        let was = &told.totals.total;
        if (was.amount, &was.currency) != (total, &currency) {
            let what = format!(
                "a buyer was told {} {}, it is {total} {currency}",
                was.amount, was.currency
            );
            return Ok(Some(what));
        }
        let status: String = row.get(3)?;
        let is_undone = match told.status.as_str() {
            "confirmed" => !matches!(status.as_str(), "confirmed" | "cancelled"),
            "rejected" => status != "rejected",
            _ => false,
        };
        if is_undone {
            return Ok(Some(format!(
                "a buyer was told that it is {}, it is {status}",
                told.status
            )));
        }
        let goods: Option<Vec<u8>> = row.get(2)?;
        let differs = goods.is_some_and(|goods| goods != told.goods());
        Ok(differs.then(|| "a buyer was told of other lines".to_owned()))
    }

    /// The cart that made an order, and how the order stands.
    pub fn cart_of(&mut self, order: Uuid) -> Result<Option<(Uuid, String)>, Error> {
        let mut rows = self.find.query([order.as_bytes()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some((Uuid::from_bytes(row.get(4)?), row.get(3)?)))
    }
}
