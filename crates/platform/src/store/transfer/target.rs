//! The PostgreSQL side.

use std::time::Duration;

use futures_util::TryStreamExt;
use kernel::Timestamp;
use kernel::id::Uuid;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Row as _};

use super::TransferError;
use super::digest::{Digest, Digester};
use super::table::{Cell, Column, Kind, Row, Table};
use crate::env::Env;
use crate::store::aggregate::{AggregateType, Schema};
use crate::store::engine::{Change, State};
use crate::store::postgres::{Options, PostgresEngine};

const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Moving a big shop takes its time, and what is moved must be on the disk.
const SETTINGS: &str = "SET statement_timeout = 0; SET lock_timeout = '3s'; \
    SET idle_in_transaction_session_timeout = 0; SET client_min_messages = 'warning'; \
    SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') = 'off'";

/// What tells an unfinished move from a shop. It stays: who reads the database later can see where
/// it came from.
const MARK: &str = "CREATE TABLE IF NOT EXISTS store_transfer \
    (id UUID PRIMARY KEY, begun_at BIGINT NOT NULL, done_at BIGINT)";

/// Held as long as the connection is, and waited for a moment: the server may not have noticed yet
/// that a move was killed. The first half of the key is that of Mercat's other locks.
const ALONE: &str =
    "SELECT pg_advisory_lock(1835365219, hashtext(current_schema() || ' transfer'))";

/// `lock_not_available`.
const LOCK_TIMEOUT: &str = "55P03";

const IN_USE: &str = "SELECT EXISTS (SELECT 1 FROM relay_member \
    WHERE until > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)";

/// What this database has been through.
pub(super) enum Standing {
    Nothing,
    Begun,
    Done(Timestamp),
    Other,
}

pub(super) struct Target {
    connection: PgConnection,
}

fn failed(error: sqlx::Error) -> TransferError {
    TransferError::Target(match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        // Its text may hold the address, and that a password.
        sqlx::Error::Configuration(_) => {
            "its address is not postgres://role:password@host:port/database".to_owned()
        }
        other => other.to_string(),
    })
}

impl Target {
    /// Connects, and brings the schema up to date.
    pub async fn open(env: &Env, schema: &Schema, url: &str) -> Result<Self, TransferError> {
        let engine = PostgresEngine::open(env, schema, &Options::new(url)).await;
        drop(engine.map_err(|error| TransferError::Target(error.to_string()))?);
        let options: PgConnectOptions = url.parse().map_err(failed)?;
        let options = options.application_name("mercat migrate").disable_statement_logging();
        let connecting = PgConnection::connect_with(&options);
        let connection = env.timeout(CONNECT_LIMIT, connecting).await;
        let silent = || TransferError::Target("the server does not answer".to_owned());
        let mut connection = connection.ok_or_else(silent)?.map_err(failed)?;
        sqlx::raw_sql(SETTINGS).execute(&mut connection).await.map_err(failed)?;
        Ok(Self { connection })
    }

    /// Nobody else may write here until this is dropped.
    pub async fn claim(&mut self) -> Result<(), TransferError> {
        let claimed = sqlx::raw_sql(ALONE).execute(&mut self.connection).await;
        claimed.map_err(|error| match &error {
            sqlx::Error::Database(told) if told.code().as_deref() == Some(LOCK_TIMEOUT) => {
                TransferError::Busy
            }
            _ => failed(error),
        })?;
        let in_use: bool =
            sqlx::query_scalar(IN_USE).fetch_one(&mut self.connection).await.map_err(failed)?;
        if in_use { Err(TransferError::InUse) } else { Ok(()) }
    }

    /// The columns as the server has them.
    pub async fn table(
        &mut self,
        name: &'static str,
        aggregate: Option<AggregateType>,
    ) -> Result<Table, TransferError> {
        let rows = sqlx::query(
            "SELECT a.attname::text, t.typname::text, a.attidentity = 'a', \
             array_position(i.indkey::int2[], a.attnum)::bigint FROM pg_attribute AS a \
             JOIN pg_type AS t ON t.oid = a.atttypid \
             JOIN pg_index AS i ON i.indrelid = a.attrelid AND i.indisprimary \
             WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0 \
             AND NOT a.attisdropped ORDER BY a.attnum",
        );
        let rows = rows.bind(name).fetch_all(&mut self.connection).await.map_err(failed)?;
        let (mut columns, mut key) = (Vec::new(), Vec::new());
        for (at, row) in rows.iter().enumerate() {
            let column: String = row.try_get(0).map_err(failed)?;
            let kind: String = row.try_get(1).map_err(failed)?;
            let unknown = || TransferError::Target(format!("{name}.{column} is {kind}"));
            let kind = Kind::of(&kind).ok_or_else(unknown)?;
            if let Some(place) = row.try_get::<Option<i64>, _>(3).map_err(failed)? {
                key.push((place, at));
            }
            let is_identity = row.try_get(2).map_err(failed)?;
            columns.push(Column { name: column, kind, is_identity });
        }
        if key.is_empty() {
            return Err(TransferError::Target(format!("{name} is missing")));
        }
        key.sort_unstable();
        let key = key.into_iter().map(|(_, at)| at).collect();
        Ok(Table { name, aggregate, columns, key })
    }

    pub async fn standing(&mut self, id: Uuid) -> Result<Standing, TransferError> {
        let found =
            sqlx::query_scalar::<_, bool>("SELECT to_regclass('store_transfer') IS NOT NULL");
        if !found.fetch_one(&mut self.connection).await.map_err(failed)? {
            return Ok(Standing::Nothing);
        }
        let rows = sqlx::query("SELECT id, done_at FROM store_transfer");
        let rows = rows.fetch_all(&mut self.connection).await.map_err(failed)?;
        let mut standing = Standing::Nothing;
        for row in rows {
            if row.try_get::<Uuid, _>(0).map_err(failed)? != id {
                return Ok(Standing::Other);
            }
            let done: Option<i64> = row.try_get(1).map_err(failed)?;
            standing =
                done.map_or(Standing::Begun, |at| Standing::Done(Timestamp::from_micros(at)));
        }
        Ok(standing)
    }

    pub async fn begin(&mut self, id: Uuid, now: Timestamp) -> Result<(), TransferError> {
        sqlx::raw_sql(MARK).execute(&mut self.connection).await.map_err(failed)?;
        let insert = sqlx::query("INSERT INTO store_transfer (id, begun_at) VALUES ($1, $2)");
        let insert = insert.bind(id).bind(now.as_micros());
        insert.execute(&mut self.connection).await.map(drop).map_err(failed)
    }

    pub async fn finish(&mut self, id: Uuid, now: Timestamp) -> Result<(), TransferError> {
        let update = sqlx::query("UPDATE store_transfer SET done_at = $2 WHERE id = $1");
        let update = update.bind(id).bind(now.as_micros());
        update.execute(&mut self.connection).await.map(drop).map_err(failed)
    }

    pub async fn holds_rows(&mut self, table: &Table) -> Result<bool, TransferError> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM \"{}\")", table.name);
        let found = sqlx::query_scalar(AssertSqlSafe(sql));
        found.fetch_one(&mut self.connection).await.map_err(failed)
    }

    pub async fn count(&mut self, table: &Table) -> Result<u64, TransferError> {
        let sql = format!("SELECT count(*) FROM \"{}\"", table.name);
        let count = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql));
        let count = count.fetch_one(&mut self.connection).await.map_err(failed)?;
        Ok(count.unsigned_abs())
    }

    /// Pages come in the order of keys, so this is where a move has stopped.
    pub async fn last_key(&mut self, table: &Table) -> Result<Option<Row>, TransferError> {
        let last = sqlx::query(AssertSqlSafe(table.select_last_key()));
        let last = last.fetch_optional(&mut self.connection).await.map_err(failed)?;
        let Some(row) = last else { return Ok(None) };
        let key = table.key.iter().enumerate();
        let key = key.map(|(at, column)| cell(&row, at, table.columns[*column].kind));
        key.collect::<sqlx::Result<Row>>().map(Some).map_err(failed)
    }

    /// One page with what follows from it, whole or not at all.
    pub async fn write(
        &mut self,
        schema: &Schema,
        table: &Table,
        page: &[Row],
    ) -> Result<(), TransferError> {
        let states = states(table, page)?;
        let changes: Vec<Change<'_>> = states
            .iter()
            .map(|(id, version, state)| Change {
                table: table.name,
                id: *id,
                version: *version,
                state: Some(state.as_ref()),
            })
            .collect();
        let step = async {
            let mut tx = self.connection.begin().await?;
            insert(&mut tx, table, page).await?;
            if !changes.is_empty() {
                for projection in &schema.postgres_projections {
                    projection.apply(&mut tx, &changes).await?;
                }
            }
            for column in table.columns.iter().filter(|column| column.is_identity) {
                // The next one that the server gives out comes behind these.
                let sql = format!(
                    "SELECT setval(pg_get_serial_sequence('\"{0}\"', '{1}'), max(\"{1}\")) \
                     FROM \"{0}\"",
                    table.name, column.name
                );
                sqlx::query(AssertSqlSafe(sql)).execute(&mut *tx).await?;
            }
            tx.commit().await
        };
        step.await.map_err(|error| match failed(error) {
            TransferError::Target(text) => {
                let first = page.first().map(|row| format!("{:?}", table.key_of(row)));
                let first = first.unwrap_or_default();
                TransferError::Target(format!("{} from {first} on: {text}", table.name))
            }
            other => other,
        })
    }

    /// Reads the whole table, row by row.
    pub async fn digest(&mut self, table: &Table) -> Result<Digest, TransferError> {
        let mut digester = Digester::default();
        let all = sqlx::query(AssertSqlSafe(table.select_all()));
        let mut rows = all.fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let cells = table.columns.iter().enumerate();
            let cells = cells.map(|(at, column)| cell(&row, at, column.kind));
            digester.add(&cells.collect::<sqlx::Result<Row>>().map_err(failed)?);
        }
        Ok(digester.finish())
    }
}

/// The aggregates of a page; none of the engine's own tables.
fn states(table: &Table, page: &[Row]) -> Result<Vec<(Uuid, u64, State)>, TransferError> {
    let Some(aggregate) = &table.aggregate else { return Ok(Vec::new()) };
    let places = (table.position("id"), table.position("version"), table.position("state"));
    let (Some(id), Some(version), Some(state)) = places else {
        return Err(TransferError::Target(format!("{} is no table of aggregates", table.name)));
    };
    let read = |row: &Row| {
        let (Cell::Uuid(id), Cell::Int(version), Cell::Json(text)) =
            (&row[id], &row[version], &row[state])
        else {
            return Err(TransferError::Source(format!("{} holds half a row", table.name)));
        };
        let state = (aggregate.parse)(text).map_err(|error| TransferError::State {
            table: table.name.to_owned(),
            id: *id,
            error: error.to_string(),
        })?;
        Ok((*id, version.unsigned_abs(), state))
    };
    page.iter().map(read).collect()
}

async fn insert(tx: &mut PgConnection, table: &Table, page: &[Row]) -> sqlx::Result<()> {
    let mut statement = sqlx::query(AssertSqlSafe(table.insert()));
    for (at, column) in table.columns.iter().enumerate() {
        statement = bind(statement, column.kind, page.iter().map(|row| &row[at]));
    }
    statement.execute(tx).await.map(drop)
}

type Statement<'q> = sqlx::query::Query<'q, sqlx::Postgres, PgArguments>;

/// A column of values as one array.
fn bind<'q, 'c>(
    statement: Statement<'q>,
    kind: Kind,
    cells: impl Iterator<Item = &'c Cell>,
) -> Statement<'q> {
    match kind {
        Kind::Int => statement.bind(
            cells.map(|c| if let Cell::Int(v) = c { Some(*v) } else { None }).collect::<Vec<_>>(),
        ),
        Kind::Uuid => statement.bind(
            cells.map(|c| if let Cell::Uuid(v) = c { Some(*v) } else { None }).collect::<Vec<_>>(),
        ),
        Kind::Bytes => {
            let bytes = |c: &Cell| if let Cell::Bytes(v) = c { Some(v.clone()) } else { None };
            statement.bind(cells.map(bytes).collect::<Vec<_>>())
        }
        Kind::Text | Kind::Json => {
            let text = |c: &Cell| match c {
                Cell::Text(text) | Cell::Json(text) => Some(text.clone()),
                _ => None,
            };
            statement.bind(cells.map(text).collect::<Vec<_>>())
        }
    }
}

fn cell(row: &PgRow, at: usize, kind: Kind) -> sqlx::Result<Cell> {
    let cell = match kind {
        Kind::Int => row.try_get::<Option<i64>, _>(at)?.map(Cell::Int),
        Kind::Uuid => row.try_get::<Option<Uuid>, _>(at)?.map(Cell::Uuid),
        Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map(Cell::Bytes),
        Kind::Text => row.try_get::<Option<String>, _>(at)?.map(Cell::Text),
        Kind::Json => row.try_get::<Option<String>, _>(at)?.map(Cell::Json),
    };
    Ok(cell.unwrap_or(Cell::Null))
}
