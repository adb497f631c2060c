//! The read side: committed state, on connections of its own.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use kernel::id::Uuid;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, AssertSqlSafe, Row as _};

use super::connection::Purpose;
use super::layout::{ColumnLayout, Statement, TableLayout};
use super::refusal::{is_lost, unavailable};
use super::{Shared, rows};
use crate::idempotency::IdempotencyKey;
use crate::store::engine::{EngineError, IdempotencyRow, Parked, RawRow, Waiting};
use crate::store::error::StoreError;
use crate::store::query::{Direction, Position, Query};
use crate::store::value::Value;

/// How long a read may take with all that it waits for.
const READ_LIMIT: Duration = Duration::from_secs(20);
/// A read on a connection that turns out to be dead is begun again, once for it and once for
/// whatever else happens while a server restarts.
const TRIES: u32 = 3;

/// Reads beside the batches. Cheap to clone.
#[derive(Clone)]
pub struct PostgresReader {
    shared: Arc<Shared>,
}

impl PostgresReader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// For projections' queries. When this future is dropped the statement is stopped.
    pub async fn rows(
        &self,
        sql: &'static str,
        arguments: PgArguments,
    ) -> Result<Vec<PgRow>, StoreError> {
        Ok(self.fetch(sql.into(), arguments).await?)
    }

    async fn fetch(
        &self,
        sql: Arc<str>,
        arguments: PgArguments,
    ) -> Result<Vec<PgRow>, EngineError> {
        let read = self.attempts(sql, arguments);
        let outcome = self.shared.env.timeout(READ_LIMIT, read).await;
        outcome.unwrap_or_else(|| {
            Err(EngineError::Unavailable("postgres: no answer in time".to_owned()))
        })
    }

    async fn attempts(
        &self,
        sql: Arc<str>,
        arguments: PgArguments,
    ) -> Result<Vec<PgRow>, EngineError> {
        let mut left = TRIES;
        loop {
            left -= 1;
            let mut lease = self.shared.connections.take(Purpose::Read).await?;
            let query = sqlx::query_with(AssertSqlSafe(sql.clone()), arguments.clone());
            match query.fetch_all(&mut lease.connection).await {
                Ok(rows) => {
                    lease.give_back();
                    return Ok(rows);
                }
                Err(error) if is_lost(&error) && left > 0 => {
                    self.shared.connections.forget_idle();
                }
                Err(error) => return Err(unavailable(&error)),
            }
        }
    }

    /// By their ids and in this order, in one statement. See [`super::gather`].
    pub(super) async fn fetch_rows(
        &self,
        table: &'static str,
        ids: &[Uuid],
    ) -> Result<Vec<RawRow>, EngineError> {
        let table = self.shared.layout.table(table)?;
        let found = match ids {
            [] => return Ok(Vec::new()),
            // Planned once, where the plan for several depends on their number.
            [id] => self.fetch(table.find.clone(), arguments(|a| a.add(id))?).await?,
            ids => self.fetch(table.get.clone(), arguments(|a| a.add(ids))?).await?,
        };
        decoded(&found, |row| rows::raw_row(row, 0))
    }

    pub(super) async fn list(
        &self,
        table: &'static str,
        query: &Query,
    ) -> Result<Vec<RawRow>, EngineError> {
        let table = self.shared.layout.table(table)?;
        let Some((sql, arguments)) = list(table, query)? else { return Ok(Vec::new()) };
        let found = self.fetch(sql.into(), arguments).await?;
        decoded(&found, |row| rows::raw_row(row, 0))
    }

    pub(super) async fn idempotency(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRow>, EngineError> {
        let sql = "SELECT fingerprint, status, headers, body FROM idempotency \
                   WHERE owner = $1 AND route = $2 AND key = $3";
        let arguments = arguments(|a| {
            a.add(&key.owner)?;
            a.add(&key.route)?;
            a.add(&key.key)
        })?;
        let found = self.fetch(sql.into(), arguments).await?;
        Ok(decoded(&found, |row| rows::idempotency_row(row, 0))?.pop())
    }

    pub(super) async fn outbox(&self, after: i64, limit: u32) -> Result<Vec<Waiting>, EngineError> {
        let sql = format!(
            "SELECT place, id, {} FROM outbox WHERE place > $1 ORDER BY place LIMIT {limit}",
            rows::ENVELOPE
        );
        let found = self.fetch(sql.into(), arguments(|a| a.add(after))?).await?;
        self.waiting(&found)
    }

    /// Places of one aggregate grow with its versions, and a version is committed after those
    /// before it: the first by place are, of each aggregate, the first by version.
    pub(super) async fn unsent(
        &self,
        shards: &[u32],
        besides: &[i64],
        limit: u32,
    ) -> Result<Vec<Waiting>, EngineError> {
        let sql = format!(
            "SELECT place, id, {} FROM outbox WHERE shard = ANY($1) AND place <> ALL($2) \
             ORDER BY place LIMIT {limit}",
            rows::ENVELOPE
        );
        let shards: Vec<i64> = shards.iter().copied().map(i64::from).collect();
        let arguments = arguments(|a| {
            a.add(shards)?;
            a.add(besides)
        })?;
        let found = self.fetch(sql.into(), arguments).await?;
        self.waiting(&found)
    }

    fn waiting(&self, found: &[PgRow]) -> Result<Vec<Waiting>, EngineError> {
        let service = self.shared.service;
        decoded(found, |row| {
            let envelope = rows::envelope(row, 2, row.try_get(1)?, service.to_owned())?;
            Ok(Waiting { place: row.try_get(0)?, envelope: Arc::new(envelope) })
        })
    }

    pub(super) async fn outbox_first(&self, aggregate: Uuid) -> Result<Option<u64>, EngineError> {
        let sql = "SELECT min(aggregate_version) FROM outbox WHERE aggregate_id = $1";
        let found = self.fetch(sql.into(), arguments(|a| a.add(aggregate))?).await?;
        let first = decoded(&found, |row| row.try_get::<Option<i64>, _>(0))?;
        Ok(first.into_iter().flatten().next().map(|version| version as u64))
    }

    pub(super) async fn inbox_version(
        &self,
        consumer: &str,
        aggregate: Uuid,
    ) -> Result<u64, EngineError> {
        let sql = "SELECT version FROM inbox WHERE consumer = $1 AND aggregate_id = $2";
        let arguments = arguments(|a| {
            a.add(consumer)?;
            a.add(aggregate)
        })?;
        let found = self.fetch(sql.into(), arguments).await?;
        let version = decoded(&found, |row| row.try_get::<i64, _>(0))?;
        Ok(version.first().map_or(0, |version| *version as u64))
    }

    pub(super) async fn is_parked(
        &self,
        consumer: &str,
        aggregate: Uuid,
    ) -> Result<bool, EngineError> {
        let sql = "SELECT 1 FROM parked WHERE consumer = $1 AND aggregate_id = $2 LIMIT 1";
        let arguments = arguments(|a| {
            a.add(consumer)?;
            a.add(aggregate)
        })?;
        Ok(!self.fetch(sql.into(), arguments).await?.is_empty())
    }

    pub(super) async fn parked(&self, consumer: Option<&str>) -> Result<Vec<Parked>, EngineError> {
        let sql = format!(
            "SELECT consumer, event_id, source, error, attempts, parked_at, {}, passed_over \
             FROM parked WHERE consumer = coalesce($1, consumer) \
             ORDER BY consumer, aggregate_id, aggregate_version LIMIT 10000",
            rows::ENVELOPE
        );
        let found = self.fetch(sql.into(), arguments(|a| a.add(consumer))?).await?;
        decoded(&found, rows::parked)
    }
}

fn decoded<T>(
    found: &[PgRow],
    decode: impl Fn(&PgRow) -> sqlx::Result<T>,
) -> Result<Vec<T>, EngineError> {
    let records: sqlx::Result<Vec<T>> = found.iter().map(decode).collect();
    records.map_err(|error| unavailable(&error))
}

fn arguments(
    add: impl FnOnce(&mut PgArguments) -> Result<(), sqlx::error::BoxDynError>,
) -> Result<PgArguments, EngineError> {
    let mut arguments = PgArguments::default();
    let encoded = add(&mut arguments);
    encoded.map_err(|error| EngineError::Constraint(format!("postgres: {error}")))?;
    Ok(arguments)
}

/// A list under construction: its terms, and the values of their marks.
#[derive(Default)]
struct Terms<'a> {
    sql: Vec<String>,
    values: Vec<(&'a ColumnLayout, &'a Value)>,
    id: Option<Uuid>,
}

impl<'a> Terms<'a> {
    fn mark(&mut self, column: &'a ColumnLayout, value: &'a Value) -> String {
        self.values.push((column, value));
        format!("${}", self.values.len())
    }
}

/// `None` when nothing can be found: a value that no row can hold.
fn list(table: &TableLayout, query: &Query) -> Result<Option<(String, PgArguments)>, EngineError> {
    let mut terms = Terms::default();
    for condition in &query.conditions {
        let column = table.column(condition.column)?;
        if !column.kind.holds(&condition.value) {
            return Ok(None);
        }
        let mark = terms.mark(column, &condition.value);
        terms.sql.push(format!("\"{}\" {} {mark}", column.name, condition.op.sql()));
    }
    let order = query.order.map(|name| table.column(name)).transpose()?;
    if let Some(after) = &query.after {
        // A cursor comes from outside; one that was made up finds nothing.
        if order.is_some_and(|column| !column.kind.holds(&after.value)) {
            return Ok(None);
        }
        behind(&mut terms, order, query.direction, after);
    }
    let mut sql = format!("SELECT id, version, seq, state::text FROM \"{}\"", table.name);
    for (at, term) in terms.sql.iter().enumerate() {
        let _ = write!(sql, " {} {term}", if at == 0 { "WHERE" } else { "AND" });
    }
    let (word, nulls) = match query.direction {
        Direction::Ascending => ("ASC", "NULLS FIRST"),
        Direction::Descending => ("DESC", "NULLS LAST"),
    };
    let by = match order {
        None => format!("id {word}"),
        Some(column) if column.nullable => {
            format!("\"{}\" {word} {nulls}, id {word}", column.name)
        }
        Some(column) => format!("\"{}\" {word}, id {word}", column.name),
    };
    let _ = write!(sql, " ORDER BY {by} LIMIT {}", query.limit);
    let mut statement: Statement<'_> = sqlx::query("");
    for (column, value) in terms.values {
        statement = column.kind.bind(statement, value);
    }
    if let Some(id) = terms.id {
        statement = statement.bind(id);
    }
    let bound = sqlx::Execute::take_arguments(&mut statement);
    let bound = bound.map_err(|error| EngineError::Constraint(format!("postgres: {error}")))?;
    Ok(Some((sql, bound.unwrap_or_default())))
}

/// Behind `(value, id)`, where null is less than everything, as in the other engines.
fn behind<'a>(
    terms: &mut Terms<'a>,
    order: Option<&'a ColumnLayout>,
    direction: Direction,
    after: &'a Position,
) {
    let ascending = direction == Direction::Ascending;
    let sign = if ascending { ">" } else { "<" };
    terms.id = Some(after.id);
    let Some(column) = order else {
        terms.sql.push(format!("id {sign} ${}", terms.values.len() + 1));
        return;
    };
    let name = format!("\"{}\"", column.name);
    if after.value == Value::Null {
        let id = format!("${}", terms.values.len() + 1);
        terms.sql.push(if ascending {
            format!("({name} IS NOT NULL OR id > {id})")
        } else {
            format!("({name} IS NULL AND id < {id})")
        });
        return;
    }
    let value = terms.mark(column, &after.value);
    let id = format!("${}", terms.values.len() + 1);
    terms.sql.push(if ascending || !column.nullable {
        format!("({name}, id) {sign} ({value}, {id})")
    } else {
        format!("({name} IS NULL OR ({name}, id) < ({value}, {id}))")
    });
}
