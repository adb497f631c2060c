//! What stands on the disks, for the checker and for whoever waits until nothing moves any more.

use checker::{Cell, Rows};
use futures_util::FutureExt as _;
use platform::store::{Engine as _, Value};

use crate::shop::{Disks, Shop};

/// Takes a row: its values by the names of their columns.
type EachRow<'a> = dyn for<'r> FnMut(&[(&'r str, Cell<'r>)]) + 'a;

/// The disks of a shop and its provider's ledger, as the checker wants them.
pub struct Books<'a> {
    pub disks: &'a Disks,
    pub ledger: Vec<u8>,
}

impl std::fmt::Debug for Books<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Books")
    }
}

impl Rows for Books<'_> {
    fn each(&self, service: &str, table: &str, row: &mut EachRow<'_>) {
        let Some(disk) = self.disks.by_service.get(service) else { return };
        let rows = &disk.rows;
        match table {
            "outbox" => {
                let waiting = rows.outbox(0, u32::MAX).now_or_never();
                for waiting in waiting.and_then(Result::ok).into_iter().flatten() {
                    let event = &waiting.envelope;
                    row(&[
                        ("event_type", Cell::Text(&event.event_type)),
                        ("aggregate_type", Cell::Text(&event.aggregate_type)),
                        ("aggregate_id", Cell::Blob(event.aggregate_id.as_bytes())),
                        ("time", Cell::Int(event.time.as_micros())),
                    ]);
                }
            }
            "parked" => {
                let parked = rows.parked(None).now_or_never();
                for parked in parked.and_then(Result::ok).into_iter().flatten() {
                    let event = &parked.envelope;
                    row(&[
                        ("consumer", Cell::Text(&parked.consumer)),
                        ("aggregate_id", Cell::Blob(event.aggregate_id.as_bytes())),
                        ("event_type", Cell::Text(&event.event_type)),
                        ("aggregate_type", Cell::Text(&event.aggregate_type)),
                        ("error", Cell::Text(&parked.error)),
                    ]);
                }
            }
            "inbox" => {
                for (consumer, aggregate, version) in rows.inbox() {
                    row(&[
                        ("consumer", Cell::Text(consumer)),
                        ("aggregate_id", Cell::Blob(aggregate.as_bytes())),
                        ("version", Cell::Int(version.cast_signed())),
                    ]);
                }
            }
            "idempotency" => {
                for (key, response, at) in rows.answers() {
                    let status = response.as_ref().map(|response| i64::from(response.status));
                    row(&[
                        ("key", Cell::Text(&key.key)),
                        ("route", Cell::Text(&key.route)),
                        ("status", status.map_or(Cell::Null, Cell::Int)),
                        ("body", response.as_ref().map_or(Cell::Null, |r| Cell::Blob(&r.body))),
                        ("created_at", Cell::Int(at.as_micros())),
                    ]);
                }
            }
            _ => self.aggregates(service, table, row),
        }
    }

    fn ledger(&self) -> &[u8] {
        &self.ledger
    }
}

impl Books<'_> {
    fn aggregates(&self, service: &str, table: &str, row: &mut EachRow<'_>) {
        let Some(disk) = self.disks.by_service.get(service) else { return };
        let Some(aggregate) = disk.schema.aggregates.iter().find(|a| a.table == table) else {
            return;
        };
        disk.rows.each_row(aggregate.table, |raw, columns, values| {
            let mut cells = vec![
                ("id", Cell::Blob(raw.id.as_bytes())),
                ("version", Cell::Int(raw.version.cast_signed())),
                ("seq", Cell::Int(raw.seq.cast_signed())),
                ("state", Cell::Text(&raw.state)),
            ];
            cells.extend(
                columns.iter().zip(values).map(|(column, value)| (column.name, cell(value))),
            );
            row(&cells);
        });
    }
}

fn cell(value: &Value) -> Cell<'_> {
    match value {
        Value::Null => Cell::Null,
        Value::Int(value) => Cell::Int(*value),
        Value::Text(text) => Cell::Text(text),
        Value::Uuid(id) => Cell::Blob(id.as_bytes()),
    }
}

impl Shop {
    /// What still moves; `None` when nothing does.
    pub fn unsettled(&self) -> Option<String> {
        for (service, disk) in &self.disks.by_service {
            let waiting = disk.rows.outbox(0, 1).now_or_never();
            if !matches!(waiting, Some(Ok(waiting)) if waiting.is_empty()) {
                return Some(format!("the outbox of {service} is not empty"));
            }
        }
        let open = |service: &str, table, column, is_open: fn(&Value) -> bool| {
            let mut found = None;
            self.disks.by_service[service].rows.each_row(table, |raw, columns, values| {
                let at = columns.iter().position(|c| c.name == column).unwrap_or(usize::MAX);
                if values.get(at).is_some_and(is_open) {
                    found = Some(format!("{table} {} is open ({:?})", raw.id, values[at]));
                }
            });
            found
        };
        open(ordering::NAME, "checkout", "status", |value| *value == Value::from("open"))
            .or_else(|| {
                open(inventory::NAME, "reservation", "status", |v| *v == Value::from("active"))
            })
            .or_else(|| {
                open(
                    payment::NAME,
                    "payment",
                    "next_check_at",
                    |v| matches!(v, Value::Int(at) if *at > 0),
                )
            })
    }
}
