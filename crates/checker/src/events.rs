//! Events: none waits for long, none is parked, and each consumer has applied every event of every
//! aggregate, which its inbox tells by the version.

use crate::Error;
use crate::report::{Invariant, Report};
use crate::snapshot::Snapshot;

/// The databases, as they are named in a snapshot.
const ALL: [&str; 5] = ["main", "inventory", "payment", "catalog", "identity"];

/// Who follows the aggregates of whom: consumer, its database, the publisher's, the table, the
/// prefix of the ids, and where it stands when an aggregate changed last.
struct Follows {
    consumer: &'static str,
    consumer_in: &'static str,
    source: &'static str,
    table: &'static str,
    prefix: &'static str,
    last_at: Option<&'static str>,
}

const ORDERS: &str = "(SELECT last_at FROM seen_order WHERE seen_order.id = a.id)";
const PAYMENTS: &str = "(SELECT last_at FROM seen_payment WHERE seen_payment.id = a.id)";
const RESERVATIONS: &str =
    "(SELECT last_at FROM seen_reservation WHERE seen_reservation.id = a.id)";
/// Written as RFC 3339 with microseconds, in UTC.
const PRODUCTS: &str =
    "CAST(1000000 * unixepoch(json_extract(a.state, '$.updated_at')) AS INTEGER)";

const FOLLOWS: [Follows; 6] = [
    Follows {
        consumer: "inventory.orders",
        consumer_in: "inventory",
        source: "main",
        table: "orders",
        prefix: "ord",
        last_at: Some(ORDERS),
    },
    Follows {
        consumer: "payment.orders",
        consumer_in: "payment",
        source: "main",
        table: "orders",
        prefix: "ord",
        last_at: Some(ORDERS),
    },
    Follows {
        consumer: "ordering.payments",
        consumer_in: "main",
        source: "payment",
        table: "payment",
        prefix: "pay",
        last_at: Some(PAYMENTS),
    },
    Follows {
        consumer: "inventory.catalog",
        consumer_in: "inventory",
        source: "catalog",
        table: "product",
        prefix: "prod",
        last_at: Some(PRODUCTS),
    },
    // Stock keeps no time of its own. Its snapshot comes before catalog's, and what orders or staff
    // did to its variant lately is left aside, for an event may be with a broker.
    Follows {
        consumer: "catalog.stock",
        consumer_in: "catalog",
        source: "inventory",
        table: "stock",
        prefix: "stock",
        last_at: None,
    },
    Follows {
        consumer: "catalog.stock",
        consumer_in: "catalog",
        source: "inventory",
        table: "reservation",
        prefix: "ord",
        last_at: Some(RESERVATIONS),
    },
];

pub fn check(book: &Snapshot, report: &mut Report) -> Result<(), Error> {
    for source in ALL {
        let sql = format!(
            "INSERT OR IGNORE INTO waiting SELECT '{source}', aggregate_id FROM {source}.outbox"
        );
        book.prepare(&sql)?.execute([])?;
        delivered(book, report, source)?;
    }
    let mut looked_at = 0;
    for follows in &FOLLOWS {
        looked_at += applied(book, report, follows)?;
    }
    report.at(Invariant::I8).looked_at(looked_at, "aggregates of publishers, by consumer");
    Ok(())
}

fn delivered(book: &Snapshot, report: &mut Report, source: &str) -> Result<(), Error> {
    let sql = format!(
        "SELECT printf('%s of %s %s', event_type, aggregate_type, lower(hex(aggregate_id))), \
            'it was committed and not delivered' FROM {source}.outbox WHERE time <= :quiet \
         UNION ALL SELECT printf('%s of %s %s', event_type, aggregate_type, \
            lower(hex(aggregate_id))), printf('%s could not handle it: %s', consumer, error) \
         FROM {source}.parked"
    );
    book.each(&sql, |row| {
        let event: String = row.get(0)?;
        report.at(Invariant::I7).violated(event, row.get::<_, String>(1)?);
        Ok(())
    })
}

/// The number of events that an aggregate has emitted is the version that its consumer has applied,
/// unless one of them is still on its way or parked.
fn applied(book: &Snapshot, report: &mut Report, follows: &Follows) -> Result<u64, Error> {
    let Follows { consumer, consumer_in, source, table, prefix, last_at } = *follows;
    // Without a time, being ahead may be the younger snapshot's.
    let differs = if last_at.is_some() { "<>" } else { "<" };
    let is_quiet = last_at.map_or_else(
        || "NOT EXISTS (SELECT 1 FROM touched t WHERE t.variant = a.variant_id)".to_owned(),
        |time| format!("coalesce({time}, 0) <= :quiet"),
    );
    let sql = format!(
        "SELECT a.id, printf('{consumer} has applied %d of its %d events', \
            coalesce(i.version, 0), a.seq) \
         FROM {source}.{table} a LEFT JOIN {consumer_in}.inbox i \
            ON i.consumer = '{consumer}' AND i.aggregate_id = a.id \
         WHERE coalesce(i.version, 0) {differs} a.seq AND {is_quiet} \
            AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.source = '{source}' AND w.id = a.id) \
            AND NOT EXISTS (SELECT 1 FROM {consumer_in}.parked p \
                WHERE p.consumer = '{consumer}' AND p.aggregate_id = a.id)"
    );
    book.find(report.at(Invariant::I8), prefix, &sql)?;
    book.count(&format!("SELECT count(*) FROM {source}.{table} WHERE seq > 0"))
}
