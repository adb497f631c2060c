//! One broken row for each kind of comparison. What each invariant can miss beyond that is tried on
//! SQLite: the checks are the same.

use checker::Invariant;

pub struct Case {
    pub name: &'static str,
    pub breaks: Invariant,
    pub service: &'static str,
    /// The one that is changed.
    pub table: &'static str,
    pub sql: &'static str,
}

pub const CASES: &[Case] = &[
    Case {
        name: "columns against other rows: units that no movement brought",
        breaks: Invariant::I1,
        service: "inventory",
        table: "stock",
        sql: "UPDATE stock SET on_hand = on_hand + 1
            WHERE id = (SELECT id FROM stock ORDER BY id LIMIT 1)",
    },
    Case {
        name: "a state against columns: a rejected order that still holds units",
        breaks: Invariant::I2,
        service: "inventory",
        table: "reservation",
        sql: "UPDATE reservation SET status = 'active', expires_at = 1, state = jsonb_set(state,
                '{stage}', '{\"status\": \"active\", \"expires_at\": \"2020-01-01T00:00:00Z\"}')
            WHERE id = (SELECT id FROM reservation
                WHERE status = 'released' AND jsonb_array_length(state -> 'lines') > 0 LIMIT 1)",
    },
    Case {
        name: "a state in itself: a ledger entry that does not sum to zero",
        breaks: Invariant::I4,
        service: "payment",
        table: "ledger_entry",
        sql: "UPDATE ledger_entry SET state = jsonb_set(state, '{postings,0,amount,amount}', '1')
            WHERE id = (SELECT id FROM ledger_entry ORDER BY id LIMIT 1)",
    },
    Case {
        name: "an answer against its order: another total",
        breaks: Invariant::I5,
        service: "ordering",
        table: "idempotency",
        sql: "UPDATE idempotency SET body = convert_to(jsonb_set(
                convert_from(body, 'UTF8')::jsonb, '{totals,total,amount}', '1')::text, 'UTF8')
            WHERE (owner, route, key) = (SELECT owner, route, key FROM idempotency
                WHERE status = 201 AND route LIKE '%/complete' LIMIT 1)",
    },
    Case {
        name: "rows among themselves: two orders of one cart",
        breaks: Invariant::I6,
        service: "ordering",
        table: "orders",
        sql: "UPDATE orders SET state = jsonb_set(state, '{cart_id}',
                (SELECT state -> 'cart_id' FROM orders WHERE number = 1001)),
            cart_id = (SELECT cart_id FROM orders WHERE number = 1001) WHERE number = 1002",
    },
    Case {
        name: "two databases: a confirmed order whose units were not sold",
        breaks: Invariant::I7,
        service: "inventory",
        table: "reservation",
        sql: "UPDATE reservation SET status = 'expired',
                state = jsonb_set(state, '{stage,status}', '\"expired\"')
            WHERE id = (SELECT id FROM reservation WHERE status = 'committed' LIMIT 1)",
    },
    Case {
        name: "an outbox: an event that was never delivered",
        breaks: Invariant::I7,
        service: "ordering",
        table: "outbox",
        sql: "INSERT INTO outbox (id, shard, event_type, aggregate_type, aggregate_id,
                aggregate_version, time, correlation, data)
            SELECT id, 0, 'mercat.ordering.OrderConfirmed.v1', 'orders', id, 3, 1, '', ''
            FROM orders WHERE number = 1001",
    },
    Case {
        name: "an inbox: an event that was passed over",
        breaks: Invariant::I8,
        service: "inventory",
        table: "inbox",
        sql: "UPDATE inbox SET version = version - 1 WHERE consumer = 'inventory.orders'
            AND aggregate_id = (SELECT aggregate_id FROM inbox
                WHERE consumer = 'inventory.orders' ORDER BY aggregate_id LIMIT 1)",
    },
    Case {
        name: "times: a checkout that did not end with its order",
        breaks: Invariant::I9,
        service: "ordering",
        table: "checkout",
        sql: "UPDATE checkout SET status = 'open', deadline_at = 1,
                state = jsonb_set(state, '{step}', '\"reserve\"')
            WHERE id = (SELECT id FROM orders WHERE number = 1001)",
    },
    Case {
        name: "sums: a total that is not that of its parts",
        breaks: Invariant::I11,
        service: "ordering",
        table: "orders",
        sql: "UPDATE orders SET state = jsonb_set(state, '{sums,shipping_minor}', '77777')
            WHERE number = 1001",
    },
    Case {
        name: "people: a living session of a disabled account",
        breaks: Invariant::I14,
        service: "identity",
        table: "account",
        sql: "UPDATE account SET state = jsonb_set(state, '{standing}', '\"disabled\"')
            WHERE id = (SELECT account_id FROM session WHERE revoked_at IS NULL LIMIT 1)",
    },
];
