//! One broken row for each way in which an invariant can fail.

use std::path::Path;

use checker::Invariant;
use rusqlite::Connection;

pub struct Case {
    pub name: &'static str,
    pub breaks: Invariant,
    how: How,
}

enum How {
    /// The service whose database it is, and what is done to it.
    Sql(&'static str, &'static str),
    /// The operation whose first line in the provider's ledger is written a second time.
    Twice(&'static str),
    /// The operation whose first line is taken out.
    Without(&'static str),
    /// A line that is added.
    Line(&'static str),
}

const fn sql(
    breaks: Invariant,
    name: &'static str,
    service: &'static str,
    text: &'static str,
) -> Case {
    Case { name, breaks, how: How::Sql(service, text) }
}

pub const CASES: &[Case] = &[
    sql(
        Invariant::I1,
        "units that no movement brought",
        "inventory",
        "UPDATE stock SET on_hand = on_hand + 1 WHERE id = (SELECT min(id) FROM stock)",
    ),
    sql(
        Invariant::I1,
        "units sold that were not there",
        "inventory",
        "UPDATE stock SET oversold = 1 WHERE id = (SELECT min(id) FROM stock)",
    ),
    sql(
        Invariant::I2,
        "units reserved for nobody",
        "inventory",
        "UPDATE stock SET reserved = reserved + 1
            WHERE id = (SELECT id FROM stock WHERE on_hand > reserved LIMIT 1)",
    ),
    sql(
        Invariant::I2,
        "a rejected order that still holds units",
        "inventory",
        "UPDATE reservation SET status = 'active', expires_at = 1, state = json_set(state,
            '$.stage', json('{\"status\":\"active\",\"expires_at\":\"2020-01-01T00:00:00Z\"}'))
            WHERE id = (SELECT id FROM reservation
                WHERE status = 'released' AND json_array_length(state, '$.lines') > 0 LIMIT 1)",
    ),
    sql(
        Invariant::I3,
        "a confirmed order whose payment was declined",
        "payment",
        "UPDATE payment SET state = json_set(state, '$.stage', json_object('declined',
            json_object('amount', json_extract(state, '$.stage.authorized.authorized'),
                'code', 'no'))) WHERE id = (SELECT id FROM payment WHERE status = 'authorized')",
    ),
    sql(
        Invariant::I4,
        "a ledger entry that does not sum to zero",
        "payment",
        "UPDATE ledger_entry SET state = json_set(state, '$.postings[0].amount.amount', 1)
            WHERE id = (SELECT min(id) FROM ledger_entry)",
    ),
    sql(
        Invariant::I4,
        "a refund that the ledger has not",
        "payment",
        "DELETE FROM ledger_entry WHERE id = (SELECT id FROM ledger_entry
            WHERE json_extract(state, '$.cause.refund') IS NOT NULL LIMIT 1)",
    ),
    Case {
        name: "a capture that the provider has not",
        breaks: Invariant::I4,
        how: How::Without("capture"),
    },
    sql(
        Invariant::I5,
        "an answer that told of another total",
        "ordering",
        "UPDATE idempotency SET body = CAST(json_set(CAST(body AS TEXT),
            '$.totals.total.amount', 1) AS BLOB)
            WHERE rowid = (SELECT rowid FROM idempotency
                WHERE status = 201 AND route LIKE '%/complete' LIMIT 1)",
    ),
    sql(
        Invariant::I5,
        "a number that no order has",
        "ordering",
        "UPDATE counter SET state = json_set(state, '$.last', json_extract(state, '$.last') + 1)",
    ),
    sql(
        Invariant::I6,
        "two orders of one cart",
        "ordering",
        "UPDATE orders SET state = json_set(state, '$.cart_id',
                (SELECT json_extract(state, '$.cart_id') FROM orders WHERE number = 1001)),
            cart_id = (SELECT cart_id FROM orders WHERE number = 1001) WHERE number = 1002",
    ),
    sql(
        Invariant::I7,
        "a confirmed order whose units were not sold",
        "inventory",
        "UPDATE reservation SET status = 'expired',
            state = json_set(state, '$.stage.status', 'expired')
            WHERE id = (SELECT id FROM reservation WHERE status = 'committed' LIMIT 1)",
    ),
    sql(
        Invariant::I7,
        "an event that was never delivered",
        "ordering",
        "INSERT INTO outbox SELECT 999999999, zeroblob(16), 0,
            'mercat.ordering.OrderConfirmed.v1', 'orders', id, 3, 1, '', NULL, NULL, x''
            FROM orders WHERE number = 1001",
    ),
    sql(
        Invariant::I7,
        "an event that nobody could handle",
        "inventory",
        "INSERT INTO parked SELECT consumer, aggregate_id, version, event_id, 'ordering',
            'mercat.ordering.OrderConfirmed.v1', 'orders', 1, '', NULL, NULL, x'', 0,
            'it is poison', 5, 1 FROM inbox WHERE consumer = 'inventory.orders' LIMIT 1",
    ),
    sql(
        Invariant::I8,
        "an event that was passed over",
        "inventory",
        "UPDATE inbox SET version = version - 1 WHERE consumer = 'inventory.orders'
            AND aggregate_id = (SELECT max(aggregate_id) FROM inbox
                WHERE consumer = 'inventory.orders')",
    ),
    sql(
        Invariant::I8,
        "an event that was never there",
        "payment",
        "UPDATE inbox SET version = version + 1 WHERE consumer = 'payment.orders'
            AND aggregate_id = (SELECT max(aggregate_id) FROM inbox
                WHERE consumer = 'payment.orders')",
    ),
    sql(
        Invariant::I9,
        "a checkout that did not end with its order",
        "ordering",
        "UPDATE checkout SET status = 'open', deadline_at = 1,
            state = json_set(state, '$.step', 'reserve')
            WHERE id = (SELECT id FROM orders WHERE number = 1001)",
    ),
    sql(
        Invariant::I10,
        "units reserved for an order that nobody placed",
        "inventory",
        "INSERT INTO reservation SELECT randomblob(16), 1, 0, 'released', NULL, 1,
            json_set(state, '$.stage.status', 'released') FROM reservation
            WHERE status = 'released' LIMIT 1",
    ),
    Case {
        name: "a charge that no payment knows of",
        breaks: Invariant::I10,
        how: How::Line(
            "{\"at\":\"2026-01-01T00:00:00Z\",\"operation\":\"authorize\",\
             \"key\":\"pay_00000000000000000000000001\",\"amount_minor\":5,\
             \"currency\":\"EUR\",\"verdict\":\"done\"}",
        ),
    },
    Case {
        name: "an order charged twice under one key",
        breaks: Invariant::I10,
        how: How::Twice("authorize"),
    },
    sql(
        Invariant::I11,
        "a total that is not the sum of its parts",
        "ordering",
        "UPDATE orders SET state = json_set(state, '$.sums.shipping_minor', 77777)
            WHERE number = 1001",
    ),
    sql(
        Invariant::I11,
        "a checkout over another amount",
        "ordering",
        "UPDATE checkout SET state = json_set(state, '$.amount.amount', 1)
            WHERE id = (SELECT id FROM orders WHERE number = 1001)",
    ),
    Case {
        name: "a refund that the provider made twice",
        breaks: Invariant::I12,
        how: How::Twice("refund"),
    },
    sql(
        Invariant::I14,
        "a living session of a disabled account",
        "identity",
        "UPDATE account SET state = json_set(state, '$.standing', 'disabled')
            WHERE id = (SELECT account_id FROM session WHERE revoked_at IS NULL LIMIT 1)",
    ),
    sql(
        Invariant::I14,
        "a session that its account cannot end",
        "identity",
        "UPDATE account SET state = json_set(state, '$.sessions', json('[]'))
            WHERE id = (SELECT account_id FROM session WHERE revoked_at IS NULL LIMIT 1)",
    ),
];

impl Case {
    pub fn apply(&self, data: &Path) {
        match self.how {
            How::Sql(service, text) => {
                let database =
                    Connection::open(data.join(format!("{service}.db"))).expect("it is there");
                database.execute_batch("PRAGMA ignore_check_constraints = ON").expect(self.name);
                let changed = database.execute(text, []).expect(self.name);
                assert_eq!(changed, 1, "{}: it breaks one row", self.name);
            }
            How::Twice(operation) => edit(data, |lines| {
                let line = lines.iter().find(|line| is(line, operation)).cloned().expect(self.name);
                lines.push(line);
            }),
            How::Without(operation) => edit(data, |lines| {
                let at = lines.iter().position(|line| is(line, operation)).expect(self.name);
                lines.remove(at);
            }),
            How::Line(line) => edit(data, |lines| lines.push(line.to_owned())),
        }
    }
}

fn is(line: &str, operation: &str) -> bool {
    line.contains(&format!("\"operation\":\"{operation}\""))
        && line.contains("\"verdict\":\"done\"")
}

fn edit(data: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let path = data.join("test-provider/test-provider.jsonl");
    let text = std::fs::read_to_string(&path).expect("it is there");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    std::fs::write(&path, lines.join("\n") + "\n").expect("a copy can be written");
}
