//! The read side: a small pool of read-only connections.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::id::Uuid;
use rusqlite::{Connection, OptionalExtension, ToSql};
use tokio::sync::Semaphore;

use super::{Options, abandon, connection, records, unavailable};
use crate::idempotency::IdempotencyKey;
use crate::store::aggregate::Schema;
use crate::store::engine::{EngineError, IdempotencyRow, Parked, RawRow, Waiting};
use crate::store::error::StoreError;
use crate::store::query::{Direction, Query};
use crate::store::value::Value;

/// Reads on their own connections, beside the writer. Cheap to clone.
#[derive(Clone)]
pub struct SqliteReader {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    options: Options,
    service: &'static str,
    columns: HashSet<(&'static str, &'static str)>,
    tables: HashSet<&'static str>,
    idle: Mutex<Vec<Connection>>,
    /// How many long reads may run at once.
    blocking: Arc<Semaphore>,
}

const LONG_READS: usize = 4;
const IDLE_CONNECTIONS: usize = 6;

impl SqliteReader {
    pub(super) fn open(
        path: &Path,
        schema: &Schema,
        options: Options,
    ) -> Result<Self, EngineError> {
        let aggregates = &schema.aggregates;
        let shared = Shared {
            path: path.to_owned(),
            options,
            service: schema.service,
            columns: aggregates
                .iter()
                .flat_map(|a| a.columns.iter().map(|column| (a.table, column.name)))
                .collect(),
            tables: aggregates.iter().map(|a| a.table).collect(),
            idle: Mutex::new(vec![connection::reader(path, options)?]),
            blocking: Arc::new(Semaphore::new(LONG_READS)),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Runs `read` on a thread where it may take its time: as long as somebody waits. When this
    /// future is dropped, because a deadline has passed or a caller has gone, the statement that
    /// runs is interrupted.
    pub async fn read<R, F>(&self, read: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    {
        Ok(self.long(read).await?)
    }

    /// Runs `read` on this thread: for reads of a few rows by key.
    pub fn read_now<R>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<R>,
    ) -> Result<R, StoreError> {
        Ok(self.short(read)?)
    }

    async fn long<R, F>(&self, read: F) -> Result<R, EngineError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    {
        let stopped = |what| EngineError::Unavailable(format!("a read was stopped: {what}"));
        let permit = self.shared.blocking.clone().acquire_owned().await;
        let permit = permit.map_err(|error| stopped(error.to_string()))?;
        let (work, waiting) = abandon::pair();
        let outcome = self.elsewhere(move |connection| {
            let outcome = work.run(connection, read);
            // Held to the end of the work, however soon nobody waits for it.
            drop(permit);
            outcome
        });
        let outcome = outcome.await;
        drop(waiting);
        outcome
    }

    /// On another thread, at once: for the relay, which must not queue behind the shop's lists.
    async fn elsewhere<R, F>(&self, read: F) -> Result<R, EngineError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    {
        let this = self.clone();
        let outcome = tokio::task::spawn_blocking(move || this.short(read)).await;
        outcome.map_err(|error| EngineError::Unavailable(format!("a read was stopped: {error}")))?
    }

    fn short<R>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<R>,
    ) -> Result<R, EngineError> {
        let shared = &self.shared;
        let idle = shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connection::reader(&shared.path, shared.options)?,
        };
        let outcome = read(&connection).map_err(|error| unavailable(&error));
        let mut idle = shared.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(connection);
        }
        outcome
    }

    fn known(&self, table: &'static str) -> Result<&'static str, EngineError> {
        if self.shared.tables.contains(table) {
            Ok(table)
        } else {
            Err(EngineError::Unavailable(format!("the schema declares no {table}")))
        }
    }

    pub(super) fn get(
        &self,
        table: &'static str,
        ids: &[Uuid],
    ) -> Result<Vec<RawRow>, EngineError> {
        let sql =
            format!("SELECT id, version, seq, state FROM {} WHERE id = ?", self.known(table)?);
        self.short(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                let row = statement.query_row([id.as_bytes()], records::raw_row).optional()?;
                rows.extend(row);
            }
            Ok(rows)
        })
    }

    pub(super) async fn list(
        &self,
        table: &'static str,
        query: &Query,
    ) -> Result<Vec<RawRow>, EngineError> {
        let (sql, values) = self.list_sql(table, query)?;
        let read = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let parameters: Vec<&dyn ToSql> = values.iter().map(|v| v as &dyn ToSql).collect();
            let rows = statement.query_map(parameters.as_slice(), records::raw_row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        // One row by a unique column is a point read.
        if query.limit == 1 { self.short(read) } else { self.long(read).await }
    }

    fn list_sql(
        &self,
        table: &'static str,
        query: &Query,
    ) -> Result<(String, Vec<Value>), EngineError> {
        let table = self.known(table)?;
        let column = |name: &'static str| {
            if self.shared.columns.contains(&(table, name)) {
                Ok(name)
            } else {
                Err(EngineError::Unavailable(format!("{table} declares no {name}")))
            }
        };
        let mut terms = Vec::new();
        let mut values = Vec::new();
        for condition in &query.conditions {
            terms.push(format!("{} {} ?", column(condition.column)?, condition.op.sql()));
            values.push(condition.value.clone());
        }
        let order = query.order.map(column).transpose()?;
        let (sign, word) = match query.direction {
            Direction::Ascending => (">", "ASC"),
            Direction::Descending => ("<", "DESC"),
        };
        if let Some(after) = &query.after {
            if let Some(order) = order {
                terms.push(after_sql(order, sign, &after.value));
                if after.value != Value::Null {
                    values.push(after.value.clone());
                    values.push(after.value.clone());
                }
            } else {
                terms.push(format!("id {sign} ?"));
            }
            values.push(after.id.into());
        }
        let filter = if terms.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", terms.join(" AND "))
        };
        let by = order.map_or_else(|| format!("id {word}"), |o| format!("{o} {word}, id {word}"));
        let limit = query.limit;
        let sql = format!(
            "SELECT id, version, seq, state FROM {table}{filter} ORDER BY {by} LIMIT {limit}"
        );
        Ok((sql, values))
    }

    pub(super) fn idempotency(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRow>, EngineError> {
        self.short(|connection| {
            connection
                .prepare_cached(
                    "SELECT fingerprint, status, headers, body FROM idempotency \
                     WHERE owner = ? AND route = ? AND key = ?",
                )?
                .query_row((&key.owner, &key.route, &key.key), records::idempotency_row)
                .optional()
        })
    }

    pub(super) async fn outbox(&self, after: i64, limit: u32) -> Result<Vec<Waiting>, EngineError> {
        let service = self.shared.service;
        self.elsewhere(move |connection| {
            let sql = format!(
                "SELECT place, id, {} FROM outbox WHERE place > ? ORDER BY place LIMIT ?",
                records::ENVELOPE
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map((after, limit), |row| {
                let id = records::uuid(row, 1)?;
                let envelope = Arc::new(records::envelope(row, 2, id, service.to_owned())?);
                Ok(Waiting { place: row.get(0)?, envelope })
            })?;
            rows.collect()
        })
        .await
    }

    /// Reads the whole outbox: for the rare event that seems to have no predecessor.
    pub(super) async fn outbox_first(&self, aggregate: Uuid) -> Result<Option<u64>, EngineError> {
        self.elsewhere(move |connection| {
            let sql = "SELECT min(aggregate_version) FROM outbox WHERE aggregate_id = ?";
            let first: Option<i64> = connection
                .prepare_cached(sql)?
                .query_row([aggregate.as_bytes()], |row| row.get(0))?;
            Ok(first.map(|version| version as u64))
        })
        .await
    }

    pub(super) fn inbox_version(
        &self,
        consumer: &str,
        aggregate: Uuid,
    ) -> Result<u64, EngineError> {
        self.short(|connection| {
            let sql = "SELECT version FROM inbox WHERE consumer = ? AND aggregate_id = ?";
            let mut statement = connection.prepare_cached(sql)?;
            let found = statement.query_row((consumer, aggregate.as_bytes()), |row| row.get(0));
            let version: Option<i64> = found.optional()?;
            Ok(version.unwrap_or(0) as u64)
        })
    }

    pub(super) fn is_parked(&self, consumer: &str, aggregate: Uuid) -> Result<bool, EngineError> {
        self.short(|connection| {
            connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM parked WHERE consumer = ? AND aggregate_id = ?)",
                )?
                .query_row((consumer, aggregate.as_bytes()), |row| row.get(0))
        })
    }

    pub(super) async fn parked(
        &self,
        consumer: Option<String>,
    ) -> Result<Vec<Parked>, EngineError> {
        self.elsewhere(move |connection| {
            let sql = format!(
                "SELECT consumer, event_id, source, error, attempts, parked_at, {}, passed_over FROM parked \
                 WHERE consumer = coalesce(?, consumer) \
                 ORDER BY consumer, aggregate_id, aggregate_version LIMIT 10000",
                records::ENVELOPE
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([consumer], records::parked)?;
            rows.collect()
        })
        .await
    }
}

/// "Behind `(value, id)`" in SQLite's order, in which null is less than everything.
fn after_sql(column: &str, sign: &str, value: &Value) -> String {
    match (value, sign) {
        (Value::Null, ">") => format!("({column} IS NOT NULL OR id > ?)"),
        (Value::Null, _) => format!("({column} IS NULL AND id < ?)"),
        (_, ">") => format!("({column} > ? OR ({column} = ? AND id > ?))"),
        _ => format!("({column} < ? OR {column} IS NULL OR ({column} = ? AND id < ?))"),
    }
}
