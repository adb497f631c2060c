//! The databases, read-only, each at one moment.

use std::path::Path;
use std::time::Duration;

use kernel::Timestamp;
use kernel::id::{Uuid, encode};
use rusqlite::{CachedStatement, Connection, OpenFlags, Row};

use crate::report::Finding;
use crate::source::{self, Databases, Opened};
use crate::{Error, Look, Place};

/// The others, beside ordering, whose database is `main`. In the order of their snapshots: what
/// ordering's events did to inventory and payment is in theirs if the events were gone from its
/// outbox, and the same for inventory's and catalog.
const ATTACHED: [&str; 4] = ["inventory", "payment", "catalog", "identity"];

/// Reservations end so long after their time at the latest.
const EXPIRY_SLACK: Duration = Duration::from_secs(5);

const TABLES: &str = "
CREATE TEMP TABLE seen_order (id BLOB PRIMARY KEY, status TEXT, cart BLOB, total INTEGER,
    currency TEXT, goods BLOB, payment_known INTEGER, captured INTEGER, refunded INTEGER,
    last_at INTEGER) WITHOUT ROWID;
CREATE TEMP TABLE seen_reservation (id BLOB PRIMARY KEY, status TEXT, goods BLOB, taken INTEGER,
    expires_at INTEGER, last_at INTEGER) WITHOUT ROWID;
CREATE TEMP TABLE held (variant BLOB, location BLOB, units INTEGER);
CREATE TEMP TABLE touched (variant BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TABLE moved (id BLOB PRIMARY KEY, units INTEGER, last_at INTEGER) WITHOUT ROWID;
CREATE TEMP TABLE seen_payment (id BLOB PRIMARY KEY, order_id BLOB, stage TEXT, amount INTEGER,
    currency TEXT, reference TEXT, had_charge INTEGER, captured INTEGER, refunded INTEGER,
    live INTEGER, last_at INTEGER) WITHOUT ROWID;
CREATE INDEX temp.seen_payment_order ON seen_payment (order_id);
CREATE TEMP TABLE charge (reference TEXT PRIMARY KEY, key TEXT, payment BLOB, order_id BLOB,
    authorized INTEGER, captured INTEGER, refunded INTEGER, voided INTEGER, currency TEXT,
    last_at INTEGER) WITHOUT ROWID;
CREATE TEMP TABLE provider_key (key TEXT PRIMARY KEY, operation TEXT, times INTEGER) WITHOUT ROWID;
CREATE TEMP TABLE waiting (source TEXT, id BLOB, PRIMARY KEY (source, id)) WITHOUT ROWID;
";

/// What was written last, as far as an index tells.
const LAST_WRITE: &str = "SELECT max(
    coalesce((SELECT max(placed_at) FROM main.orders), 0),
    coalesce((SELECT max(created_at) FROM main.idempotency), 0),
    coalesce((SELECT max(created_at) FROM inventory.reservation), 0),
    coalesce((SELECT max(at) FROM inventory.movement), 0),
    coalesce((SELECT max(created_at) FROM inventory.idempotency), 0),
    coalesce((SELECT max(created_at) FROM payment.payment), 0),
    coalesce((SELECT max(created_at) FROM payment.idempotency), 0),
    coalesce((SELECT max(created_at) FROM catalog.idempotency), 0),
    coalesce((SELECT max(created_at) FROM identity.idempotency), 0))";

/// One connection that sees ordering's database as `main` and the others under their names.
pub struct Snapshot {
    connection: Opened,
    /// What is read here goes when this goes.
    _databases: Databases,
    now: Timestamp,
    quiet_after: Duration,
}

impl Snapshot {
    pub fn open(look: &Look<'_>) -> Result<Self, Error> {
        let databases = Databases::find(look.shop)?;
        let connection = match look.shop {
            Place::Memory(rows) => source::connect(rows, &ATTACHED, TABLES)?,
            Place::Folder(_) => Opened::once(Self::open_files(&databases)?),
            #[cfg(feature = "postgres")]
            Place::Servers(_) => Opened::once(Self::open_files(&databases)?),
        };
        let now = match look.now.or(databases.now()) {
            Some(now) => now,
            None => Timestamp::from_micros(connection.query_row(LAST_WRITE, [], |r| r.get(0))?),
        };
        let quiet_after = look.quiet_after;
        Ok(Self { connection, _databases: databases, now, quiet_after })
    }

    fn open_files(databases: &Databases) -> Result<Connection, Error> {
        let path = |name: &str| {
            let path = databases.folder().join(format!("{name}.db"));
            if path.is_file() { Ok(path) } else { Err(Error::NoShop(path)) }
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path("ordering")?, flags)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(
            "PRAGMA busy_timeout=5000; PRAGMA temp_store=FILE; PRAGMA temp.cache_size=-32768;",
        )?;
        // A database is attached with the rights of the first one: read-only.
        for name in ATTACHED {
            let path = path(name)?;
            connection.execute(&format!("ATTACH ? AS {name}"), [text(&path)?])?;
        }
        connection.execute_batch("BEGIN")?;
        // The first read of each takes its snapshot, which stays until the end.
        for name in std::iter::once("main").chain(ATTACHED) {
            let sql = format!("SELECT count(*) FROM {name}.schema_migration");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0))?;
        }
        connection.execute_batch(TABLES)?;
        Ok(connection)
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What changed after this may still be on its way.
    pub fn quiet(&self) -> Timestamp {
        self.now.minus(self.quiet_after)
    }

    pub fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, Error> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    pub fn count(&self, sql: &str) -> Result<u64, Error> {
        let count: i64 = self.prepare(sql)?.query_row([], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Calls `each` for every row.
    pub fn each(
        &self,
        sql: &str,
        mut each: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut statement = self.prepare(sql)?;
        for (name, time) in [
            (":quiet", self.quiet()),
            (":now", self.now),
            (":expired", self.now.minus(self.quiet_after.max(EXPIRY_SLACK))),
        ] {
            if let Some(at) = statement.parameter_index(name)? {
                statement.raw_bind_parameter(at, time.as_micros())?;
            }
        }
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        Ok(())
    }

    /// Each row of `sql` is a violation: an id and a sentence.
    pub fn find(&self, finding: &mut Finding, prefix: &str, sql: &str) -> Result<(), Error> {
        self.each(sql, |row| {
            let id: Option<[u8; 16]> = row.get(0)?;
            let id = id.map_or_else(|| "?".to_owned(), |id| encode(prefix, Uuid::from_bytes(id)));
            finding.violated(id, row.get::<_, String>(1)?);
            Ok(())
        })
    }

    /// How many of what is compared between databases changed too lately for that.
    pub fn young(&self) -> Result<u64, Error> {
        let mut count = 0;
        for table in ["seen_order", "seen_reservation", "seen_payment"] {
            let sql = format!("SELECT count(*) FROM {table} WHERE last_at > :quiet");
            self.each(&sql, |row| {
                count += row.get::<_, i64>(0)?.unsigned_abs();
                Ok(())
            })?;
        }
        Ok(count)
    }
}

fn text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::Name(path.to_owned()))
}

/// An id in a column.
pub fn uuid(row: &Row<'_>, at: usize) -> Result<Uuid, Error> {
    Ok(Uuid::from_bytes(row.get(at)?))
}
