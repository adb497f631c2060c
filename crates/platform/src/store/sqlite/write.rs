//! The writer thread's work: one batch, one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::id::Uuid;
use rusqlite::{Connection, ErrorCode, OptionalExtension, ToSql, ffi};

use super::{SqliteProjection, records, unavailable};
use crate::event::Envelope;
use crate::store::aggregate::{AggregateType, Schema};
use crate::store::engine::{
    Applied, Change, Decide, EngineError, FORGET, Loaded, Parked, ReadSet, RowWrite, SavedWrite,
    WriteSet,
};
use crate::store::value::Value;

/// How many partitions events are spread over; fixed when a shop is created.
const SHARDS: u32 = 16;

pub(super) struct Writer {
    connection: Connection,
    service: &'static str,
    tables: HashMap<&'static str, TableSql>,
    projections: Vec<Arc<dyn SqliteProjection>>,
    statements: u64,
    /// The place in the outbox that was given last.
    place: i64,
}

struct TableSql {
    table: &'static str,
    names: Vec<&'static str>,
    select: String,
    insert: String,
    /// By the columns that change: an index of a column that is set is written again, changed or
    /// not. A service uses a handful of them.
    updates: HashMap<Vec<usize>, String>,
    delete: String,
}

impl TableSql {
    fn of(aggregate: &AggregateType) -> Self {
        let table = aggregate.table;
        let names: Vec<&str> = aggregate.columns.iter().map(|column| column.name).collect();
        let list: String = names.iter().flat_map(|name| [*name, ", "]).collect();
        let marks = "?, ".repeat(names.len());
        Self {
            select: format!("SELECT id, version, seq, state FROM {table} WHERE id = ?"),
            insert: format!(
                "INSERT INTO {table} (version, seq, {list}state, id) VALUES (?, ?, {marks}?, ?)"
            ),
            updates: HashMap::new(),
            delete: format!("DELETE FROM {table} WHERE id = ? AND version = ?"),
            table,
            names,
        }
    }

    fn update(&mut self, changed: &[usize]) -> &str {
        if !self.updates.contains_key(changed) {
            let sets: String = changed.iter().flat_map(|at| [self.names[*at], " = ?, "]).collect();
            let sql = format!(
                "UPDATE {} SET version = ?, seq = ?, {sets}state = ? WHERE id = ? AND version = ?",
                self.table
            );
            self.updates.insert(changed.to_vec(), sql);
        }
        &self.updates[changed]
    }
}

impl Writer {
    pub(super) fn new(connection: Connection, schema: &Schema) -> Result<Self, EngineError> {
        let place = connection
            .query_row("SELECT coalesce(max(place), 0) FROM outbox", [], |row| row.get(0))
            .map_err(|error| unavailable(&error))?;
        Ok(Self {
            connection,
            service: schema.service,
            tables: schema.aggregates.iter().map(|a| (a.table, TableSql::of(a))).collect(),
            projections: schema.sqlite_projections.clone(),
            statements: 0,
            place,
        })
    }

    pub(super) fn transact(
        &mut self,
        reads: &ReadSet,
        decide: Decide,
    ) -> Result<Applied, EngineError> {
        self.run("BEGIN IMMEDIATE").map_err(|error| unavailable(&error))?;
        self.statements = 2;
        let outcome = self.batch(reads, decide);
        let ended = match &outcome {
            Ok(Some(_)) => self.run("COMMIT"),
            Ok(None) | Err(_) => self.run("ROLLBACK"),
        };
        if let Err(error) = ended {
            // A COMMIT that failed (a full disk, say) leaves the transaction open.
            let _ = self.connection.execute_batch("ROLLBACK");
            return Err(unavailable(&error));
        }
        metrics::counter!("mercat_store_statements_total", "service" => self.service)
            .increment(self.statements);
        let applied = outcome?;
        if applied.is_some() {
            metrics::counter!("mercat_store_commits_total", "service" => self.service).increment(1);
        }
        Ok(applied.unwrap_or_default())
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    /// Leaves a transaction that a panic has left open.
    pub(super) fn abandon(&mut self) {
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    /// `None` when there is nothing to commit.
    fn batch(&mut self, reads: &ReadSet, decide: Decide) -> Result<Option<Applied>, EngineError> {
        let loaded = self.load(reads)?;
        let writes = decide(loaded);
        if writes.is_empty() {
            return Ok(None);
        }
        for row in &writes.rows {
            self.write_row(row)?;
        }
        let changes: Vec<Change<'_>> = writes.rows.iter().map(Change::of).collect();
        for projection in &self.projections {
            projection.apply(&self.connection, &changes).map_err(|error| refused(&error))?;
        }
        let applied = self.write_records(&writes).map_err(|error| refused(&error))?;
        Ok(Some(applied))
    }

    fn load(&mut self, reads: &ReadSet) -> Result<Loaded, EngineError> {
        let mut loaded = Loaded::default();
        self.statements +=
            (reads.aggregates.len() + reads.inbox.len() + reads.idempotency.len()) as u64;
        for (table, id) in &reads.aggregates {
            let sql = self.tables.get(table).ok_or_else(|| unknown(table))?;
            let row = self
                .connection
                .prepare_cached(&sql.select)
                .and_then(|mut s| s.query_row([id.as_bytes()], records::raw_row).optional())
                .map_err(|error| unavailable(&error))?;
            if let Some(row) = row {
                loaded.aggregates.insert((*table, *id), row);
            }
        }
        self.load_records(reads, &mut loaded).map_err(|error| unavailable(&error))?;
        Ok(loaded)
    }

    fn load_records(&self, reads: &ReadSet, loaded: &mut Loaded) -> rusqlite::Result<()> {
        for (consumer, id) in &reads.inbox {
            let version: Option<i64> = self
                .connection
                .prepare_cached(
                    "SELECT version FROM inbox WHERE consumer = ? AND aggregate_id = ?",
                )?
                .query_row((consumer, id.as_bytes()), |row| row.get(0))
                .optional()?;
            if let Some(version) = version {
                loaded.inbox.insert((*consumer, *id), version as u64);
            }
        }
        for key in &reads.idempotency {
            let row = self
                .connection
                .prepare_cached(
                    "SELECT fingerprint, status, headers, body FROM idempotency \
                     WHERE owner = ? AND route = ? AND key = ?",
                )?
                .query_row((&key.owner, &key.route, &key.key), records::idempotency_row)
                .optional()?;
            loaded.idempotency.push(row);
        }
        Ok(())
    }

    fn write_row(&mut self, write: &RowWrite) -> Result<(), EngineError> {
        self.statements += 1;
        let table = write.aggregate.table;
        let sql = self.tables.get_mut(table).ok_or_else(|| unknown(table))?;
        let (version, seq, expected) =
            (write.version as i64, write.seq as i64, write.expected as i64);
        let id = Value::Uuid(write.id);
        let changed = match &write.state {
            None => self
                .connection
                .prepare_cached(&sql.delete)
                .and_then(|mut statement| statement.execute((&id, expected))),
            Some((_, state)) => {
                let mut values: Vec<&dyn ToSql> = vec![&version, &seq];
                let all = || (0..write.columns.len()).collect();
                let text = if write.expected == 0 {
                    values.extend(write.columns.iter().map(|value| value as &dyn ToSql));
                    sql.insert.as_str()
                } else {
                    let changed = write.changed.clone().unwrap_or_else(all);
                    values.extend(changed.iter().map(|at| &write.columns[*at] as &dyn ToSql));
                    sql.update(&changed)
                };
                values.push(state);
                values.push(&id);
                if write.expected != 0 {
                    values.push(&expected);
                }
                self.connection
                    .prepare_cached(text)
                    .and_then(|mut statement| statement.execute(values.as_slice()))
            }
        };
        match changed {
            Ok(1) => Ok(()),
            Ok(_) => Err(EngineError::Changed),
            Err(error) => Err(refused(&error)),
        }
    }

    fn write_records(&mut self, writes: &WriteSet) -> rusqlite::Result<Applied> {
        let mut applied = Applied::default();
        let records = writes.outbox.len()
            + writes.outbox_done.len()
            + writes.inbox.len()
            + writes.idempotency.len()
            + writes.park.len()
            + writes.unpark.len();
        self.statements += records as u64;
        for envelope in &writes.outbox {
            self.place += 1;
            self.insert_event(self.place, envelope)?;
            applied.places.push(self.place);
        }
        for place in &writes.outbox_done {
            let mut delete =
                self.connection.prepare_cached("DELETE FROM outbox WHERE place = ?")?;
            delete.execute([place])?;
        }
        for moved in &writes.inbox {
            self.connection
                .prepare_cached(
                    "INSERT INTO inbox (consumer, aggregate_id, version, event_id) \
                     VALUES (?, ?, ?, ?) ON CONFLICT (consumer, aggregate_id) \
                     DO UPDATE SET version = excluded.version, event_id = excluded.event_id",
                )?
                .execute((
                    moved.consumer,
                    moved.aggregate_id.as_bytes(),
                    moved.version as i64,
                    moved.event_id.as_bytes(),
                ))?;
        }
        for saved in &writes.idempotency {
            self.save_response(saved)?;
        }
        if let Some(before) = writes.idempotency_before {
            let forgotten = self
                .connection
                .prepare_cached(
                    "DELETE FROM idempotency WHERE rowid IN \
                     (SELECT rowid FROM idempotency WHERE created_at < ? LIMIT ?)",
                )?
                .execute((before.as_micros(), FORGET))?;
            applied.forgotten = forgotten as u32;
        }
        for parked in &writes.park {
            self.park(parked)?;
        }
        for (consumer, event) in &writes.unpark {
            self.connection
                .prepare_cached("DELETE FROM parked WHERE consumer = ? AND event_id = ?")?
                .execute((consumer, event.as_bytes()))?;
        }
        Ok(applied)
    }

    fn insert_event(&self, place: i64, envelope: &Envelope) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO outbox (place, id, shard, event_type, aggregate_type, aggregate_id, \
                 aggregate_version, time, correlation, causation, traceparent, data) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                place,
                envelope.id.as_bytes(),
                envelope.partition(SHARDS),
                &envelope.event_type,
                &envelope.aggregate_type,
                envelope.aggregate_id.as_bytes(),
                envelope.aggregate_version as i64,
                envelope.time.as_micros(),
                envelope.correlation.as_ref(),
                envelope.causation.as_ref().map(Uuid::as_bytes),
                &envelope.traceparent,
                &envelope.data,
            ))
            .map(|_| ())
    }

    fn save_response(&self, saved: &SavedWrite) -> rusqlite::Result<()> {
        let response = saved.response.as_ref();
        let headers = response.map(|r| serde_json::to_string(&r.headers).unwrap_or_default());
        self.connection
            .prepare_cached(
                "INSERT INTO idempotency (owner, route, key, fingerprint, status, headers, body, \
                 created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (owner, route, key) \
                 DO UPDATE SET status = excluded.status, headers = excluded.headers, \
                 body = excluded.body",
            )?
            .execute((
                &saved.key.owner,
                &saved.key.route,
                &saved.key.key,
                &saved.key.fingerprint,
                response.map(|r| r.status),
                headers,
                response.map(|r| r.body.as_slice()),
                saved.at.as_micros(),
            ))
            .map(|_| ())
    }

    fn park(&self, parked: &Parked) -> rusqlite::Result<()> {
        let envelope = &parked.envelope;
        self.connection
            .prepare_cached(
                "INSERT INTO parked (consumer, event_id, source, event_type, aggregate_type, \
                 aggregate_id, aggregate_version, time, correlation, causation, traceparent, data, \
                 passed_over, error, attempts, parked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
                 ON CONFLICT (consumer, aggregate_id, aggregate_version) \
                 DO UPDATE SET error = excluded.error, attempts = excluded.attempts",
            )?
            .execute((
                &parked.consumer,
                envelope.id.as_bytes(),
                &envelope.source,
                &envelope.event_type,
                &envelope.aggregate_type,
                envelope.aggregate_id.as_bytes(),
                envelope.aggregate_version as i64,
                envelope.time.as_micros(),
                envelope.correlation.as_ref(),
                envelope.causation.as_ref().map(Uuid::as_bytes),
                &envelope.traceparent,
                &envelope.data,
                envelope.passed_over as i64,
                &parked.error,
                parked.attempts,
                parked.parked_at.as_micros(),
            ))
            .map(|_| ())
    }
}

fn unknown(table: &str) -> EngineError {
    EngineError::Unavailable(format!("the schema declares no {table}"))
}

/// Tells a refusal by the schema from a database that does not work.
fn refused(error: &rusqlite::Error) -> EngineError {
    let rusqlite::Error::SqliteFailure(code, Some(message)) = error else {
        return unavailable(error);
    };
    if code.code != ErrorCode::ConstraintViolation {
        return unavailable(error);
    }
    let unique = [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_PRIMARYKEY];
    let first = message
        .strip_prefix("UNIQUE constraint failed: ")
        .and_then(|list| list.split(", ").next())
        .and_then(|name| name.split_once('.'));
    match first {
        Some((table, column)) if unique.contains(&code.extended_code) => {
            EngineError::Unique { table: table.to_owned(), column: column.to_owned() }
        }
        _ => EngineError::Constraint(message.clone()),
    }
}
