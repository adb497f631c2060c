//! What is copied of each database: the rows and columns that are looked at, and of a state only the
//! fields that are, so that no address, password or answer to a shopper lies in a temporary file
//! without need.

/// How a column is read from PostgreSQL and kept in SQLite.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Id,
    Int,
    Text,
    /// A body that is looked at only if it tells of a completed cart.
    Answer,
    /// These fields of a document; all when there are none.
    #[cfg_attr(
        not(any(test, feature = "postgres")),
        expect(dead_code, reason = "what is in memory is handed out whole")
    )]
    State(&'static [&'static str]),
}

pub(super) struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Kind)],
    /// The columns of the primary key; empty when rows are only gone through.
    pub key: &'static str,
    /// A column that rows are found by.
    #[cfg_attr(
        not(any(test, feature = "postgres")),
        expect(dead_code, reason = "what is in memory is small")
    )]
    pub index: Option<&'static str>,
}

use Kind::{Answer, Id, Int, State, Text};

const fn keyed(
    name: &'static str,
    key: &'static str,
    columns: &'static [(&'static str, Kind)],
) -> Table {
    Table { name, columns, key, index: None }
}

const MIGRATIONS: Table = keyed("schema_migration", "", &[("number", Int)]);
const OUTBOX: Table = keyed(
    "outbox",
    "",
    &[("event_type", Text), ("aggregate_type", Text), ("aggregate_id", Id), ("time", Int)],
);
const PARKED: Table = Table {
    name: "parked",
    columns: &[
        ("consumer", Text),
        ("aggregate_id", Id),
        ("event_type", Text),
        ("aggregate_type", Text),
        ("error", Text),
    ],
    key: "",
    index: Some("aggregate_id"),
};
const INBOX: Table = keyed(
    "inbox",
    "consumer, aggregate_id",
    &[("consumer", Text), ("aggregate_id", Id), ("version", Int)],
);
const ANSWERED: Table = keyed("idempotency", "", &[("created_at", Int)]);

const ORDERING: &[Table] = &[
    keyed(
        "orders",
        "id",
        &[
            ("id", Id),
            ("seq", Int),
            ("status", Text),
            ("number", Int),
            ("cart_id", Id),
            ("placed_at", Int),
            ("total_minor", Int),
            ("currency", Text),
            ("state", State(&["cart_id", "currency", "lines", "sums", "stage", "timeline"])),
        ],
    ),
    keyed("cart", "id", &[("id", Id), ("state", State(&["status"]))]),
    keyed("checkout", "id", &[("id", Id), ("status", Text), ("state", State(&["amount", "step"]))]),
    keyed("counter", "id", &[("id", Id), ("state", State(&[]))]),
    keyed(
        "idempotency",
        "",
        &[("key", Text), ("route", Text), ("status", Int), ("body", Answer), ("created_at", Int)],
    ),
];

const INVENTORY: &[Table] = &[
    keyed(
        "reservation",
        "id",
        &[("id", Id), ("seq", Int), ("created_at", Int), ("state", State(&[]))],
    ),
    keyed(
        "movement",
        "id",
        &[
            ("id", Id),
            ("variant_id", Id),
            ("location_id", Id),
            ("kind", Text),
            ("delta", Int),
            ("at", Int),
            ("state", State(&["reference"])),
        ],
    ),
    keyed(
        "stock",
        "id",
        &[
            ("id", Id),
            ("seq", Int),
            ("variant_id", Id),
            ("location_id", Id),
            ("on_hand", Int),
            ("reserved", Int),
            ("oversold", Int),
            ("tracked", Int),
            ("backorder", Int),
        ],
    ),
    ANSWERED,
];

const PAYMENT: &[Table] = &[
    keyed("payment", "id", &[("id", Id), ("seq", Int), ("created_at", Int), ("state", State(&[]))]),
    Table {
        name: "ledger_entry",
        columns: &[("id", Id), ("payment_id", Id), ("state", State(&["cause", "postings"]))],
        key: "id",
        index: Some("payment_id"),
    },
    ANSWERED,
];

const CATALOG: &[Table] = &[
    keyed("product", "id", &[("id", Id), ("seq", Int), ("state", State(&["updated_at"]))]),
    ANSWERED,
];

const IDENTITY: &[Table] = &[
    keyed("account", "id", &[("id", Id), ("state", State(&["standing", "sessions"]))]),
    keyed(
        "session",
        "id",
        &[
            ("id", Id),
            ("account_id", Id),
            ("ends_at", Int),
            ("revoked_at", Int),
            ("state", State(&["life", "at"])),
        ],
    ),
    ANSWERED,
];

/// The tables of a service's database that are looked at.
pub(super) fn tables_of(service: &str) -> impl Iterator<Item = &'static Table> {
    let own = match service {
        "ordering" => ORDERING,
        "inventory" => INVENTORY,
        "payment" => PAYMENT,
        "catalog" => CATALOG,
        _ => IDENTITY,
    };
    own.iter().chain(&[MIGRATIONS, OUTBOX, PARKED, INBOX])
}

impl Table {
    /// The table that holds the copy.
    #[cfg(any(test, feature = "postgres"))]
    pub fn create(&self) -> String {
        self.create_in("main")
    }

    /// The same in an attached database.
    pub fn create_in(&self, schema: &str) -> String {
        let columns = self.columns.iter().map(|(name, kind)| {
            let kind = match kind {
                Id | Answer => "BLOB",
                Int => "INTEGER",
                Text | State(_) => "TEXT",
            };
            format!("\"{name}\" {kind}")
        });
        let mut parts: Vec<String> = columns.collect();
        if !self.key.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", self.key));
        }
        format!("CREATE TABLE {schema}.\"{}\" ({})", self.name, parts.join(", "))
    }

    #[cfg(any(test, feature = "postgres"))]
    pub fn create_index(&self) -> Option<String> {
        let column = self.index?;
        Some(format!("CREATE INDEX \"{0}_{column}\" ON \"{0}\" ({column})", self.name))
    }

    #[cfg(any(test, feature = "postgres"))]
    pub fn insert(&self) -> String {
        self.insert_in("main")
    }

    /// The same into an attached database.
    pub fn insert_in(&self, schema: &str) -> String {
        let places = vec!["?"; self.columns.len()].join(", ");
        format!("INSERT INTO {schema}.\"{}\" VALUES ({places})", self.name)
    }

    /// The same columns at the server.
    #[cfg(any(test, feature = "postgres"))]
    pub fn select(&self) -> String {
        let columns = self.columns.iter().map(|(name, kind)| match kind {
            Id | Int | Text => format!("\"{name}\""),
            Answer => "CASE WHEN status = 201 AND route LIKE '%/complete' THEN body END".to_owned(),
            State([]) => "state::text".to_owned(),
            // What is no document stays what it is: it is for the checks to say so.
            State(fields) => format!(
                "CASE jsonb_typeof(state) WHEN 'object' THEN \
                 (SELECT coalesce(jsonb_object_agg(key, value), '{{}}') FROM jsonb_each(state) \
                 WHERE key = ANY ('{{{}}}'))::text ELSE state::text END",
                fields.join(",")
            ),
        });
        format!("SELECT {} FROM \"{}\"", columns.collect::<Vec<_>>().join(", "), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_tables_that_sqlite_takes() {
        for service in ["ordering", "inventory", "payment", "catalog", "identity"] {
            let connection = rusqlite::Connection::open_in_memory().unwrap();
            for table in tables_of(service) {
                connection.execute_batch(&table.create()).unwrap();
                if let Some(index) = table.create_index() {
                    connection.execute_batch(&index).unwrap();
                }
                connection.prepare(&table.insert()).unwrap();
            }
        }
    }

    #[test]
    fn of_an_account_nothing_personal_is_copied() {
        let account = tables_of("identity").find(|table| table.name == "account").unwrap();
        let sql = account.select();
        assert!(sql.contains("key = ANY ('{standing,sessions}')"), "{sql}");
    }
}
