//! PostgreSQL: one database a service, each read in one transaction that sees one moment.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt;
use kernel::Timestamp;
use kernel::id::Uuid;
use rusqlite::Connection;
use rusqlite::types::Value;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, PgConnection, Row};

use super::copied::{Kind, Table, tables_of};
use crate::{Error, Place};

/// In the order of their snapshots, for which see [`crate::snapshot`].
const SERVICES: [&str; 5] = ["ordering", "inventory", "payment", "catalog", "identity"];

/// A server that does not answer is not waited for without end.
const CONNECT: Duration = Duration::from_secs(10);

/// Reading a big shop takes its time, and a snapshot waits while others are read.
const SETTINGS: &str = "SET statement_timeout = 0; SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = 0; SET client_min_messages = 'warning'";

/// The server's time in microseconds, if a process of the service holds a lease on its outbox.
const NOW_IF_IN_USE: &str = "SELECT CASE WHEN EXISTS (SELECT 1 FROM relay_member \
    WHERE until > t.now) THEN t.now END \
    FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now) AS t";

/// The addresses of a shop's databases.
#[derive(Clone)]
pub struct Servers {
    urls: Vec<(&'static str, String)>,
}

/// Addresses hold passwords.
impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers").finish_non_exhaustive()
    }
}

impl Servers {
    /// `url` tells the address of each service's database: `postgres://role:password@host/database`.
    pub fn each<E>(mut url: impl FnMut(&'static str) -> Result<String, E>) -> Result<Self, E> {
        let urls = SERVICES.iter().map(|service| Ok((*service, url(service)?)));
        Ok(Self { urls: urls.collect::<Result<_, E>>()? })
    }

    pub fn place(&self) -> Place<'_> {
        Place::Servers(self)
    }

    /// Copies what is looked at into one file a service. Answers the time, if a shop works there.
    pub(super) fn copy_to(&self, folder: &Path) -> Result<Option<Timestamp>, Error> {
        // On a thread of its own, because the caller's may belong to a runtime already.
        std::thread::scope(|scope| {
            let copying = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.map_err(|error| Error::File(folder.to_owned(), error))?;
                runtime.block_on(self.copy_all(folder))
            });
            copying.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    async fn copy_all(&self, folder: &Path) -> Result<Option<Timestamp>, Error> {
        let mut snapshots = Vec::new();
        let mut now = None;
        // All of them before the first is read: what is compared should be of about one time.
        for (service, url) in &self.urls {
            let failed = |error: sqlx::Error| Error::Server(service, told(&error));
            let opening = tokio::time::timeout(CONNECT, open(url)).await;
            let silent = |_| Error::Server(service, "the server does not answer".to_owned());
            let mut connection = opening.map_err(silent)?.map_err(failed)?;
            let time = sqlx::query_scalar::<_, Option<i64>>(NOW_IF_IN_USE);
            let time = time.fetch_one(&mut connection).await.map_err(failed)?;
            now = now.max(time.map(Timestamp::from_micros));
            snapshots.push((*service, connection));
        }
        for (service, mut connection) in snapshots {
            let target = Connection::open(folder.join(format!("{service}.db")))?;
            // Nobody needs it after a crash.
            target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")?;
            for table in tables_of(service) {
                copy(&mut connection, &target, table).await.map_err(|error| match error {
                    Failure::There(error) => Error::Server(service, told(&error)),
                    Failure::Here(error) => Error::Database(error),
                })?;
            }
            target.execute_batch("COMMIT")?;
            let _ = connection.close().await;
        }
        Ok(now)
    }
}

/// The first statement takes the snapshot.
async fn open(url: &str) -> sqlx::Result<PgConnection> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.application_name("mercat verify").disable_statement_logging();
    let mut connection = PgConnection::connect_with(&options).await?;
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}

enum Failure {
    There(sqlx::Error),
    Here(rusqlite::Error),
}

async fn copy(
    source: &mut PgConnection,
    target: &Connection,
    table: &Table,
) -> Result<(), Failure> {
    target.execute_batch(&table.create()).map_err(Failure::Here)?;
    let mut insert = target.prepare(&table.insert()).map_err(Failure::Here)?;
    let mut rows = sqlx::query(AssertSqlSafe(table.select())).fetch(source);
    while let Some(row) = rows.try_next().await.map_err(Failure::There)? {
        for (at, (_, kind)) in table.columns.iter().enumerate() {
            let value = value(&row, at, *kind).map_err(Failure::There)?;
            insert.raw_bind_parameter(at + 1, value).map_err(Failure::Here)?;
        }
        insert.raw_execute().map_err(Failure::Here)?;
    }
    if let Some(index) = table.create_index() {
        target.execute_batch(&index).map_err(Failure::Here)?;
    }
    Ok(())
}

fn value(row: &PgRow, at: usize, kind: Kind) -> sqlx::Result<Value> {
    let value = match kind {
        Kind::Id => row.try_get::<Option<Uuid>, _>(at)?.map(|id| Value::Blob(id.as_bytes().into())),
        Kind::Int => row.try_get::<Option<i64>, _>(at)?.map(Value::Integer),
        Kind::Text | Kind::State(_) => row.try_get::<Option<String>, _>(at)?.map(Value::Text),
        Kind::Answer => row.try_get::<Option<Vec<u8>>, _>(at)?.map(Value::Blob),
    };
    Ok(value.unwrap_or(Value::Null))
}

/// Without the address, which holds a password.
fn told(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Configuration(_) => {
            "its address is not postgres://role:password@host:port/database".to_owned()
        }
        other => other.to_string(),
    }
}
