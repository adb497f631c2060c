//! One batch: lock and load, decide, write, commit.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use kernel::id::Uuid;
use sqlx::{AssertSqlSafe, PgConnection};

use super::connection::{Lease, Purpose};
use super::layout::{Statement, TableLayout};
use super::records::{self, Owned};
use super::refusal::{is_lost, refused, unavailable, uncommitted};
use super::{PostgresProjection, Shared, rows};
use crate::store::engine::{
    Applied, Change, Decide, EngineError, Loaded, ReadSet, RowWrite, WriteSet,
};
use crate::store::value::Value;

/// Until something is decided a dead connection costs nothing but another try.
const TRIES: u32 = 3;

pub(super) async fn run(
    shared: &Shared,
    projections: &[Arc<dyn PostgresProjection>],
    reads: &ReadSet,
    decide: Decide,
) -> Result<Applied, EngineError> {
    let (mut lease, loaded) = begin(shared, reads).await?;
    let owned = Owned::of(reads, &loaded);
    // Decisions are caught one by one; this is for what is common to a batch.
    let decided = catch_unwind(AssertUnwindSafe(|| decide(loaded)));
    let mut batch = Batch { shared, connection: &mut lease.connection, statements: 2 };
    let outcome = match decided {
        Ok(writes) if writes.is_empty() => Ok(None),
        Ok(writes) => batch.write(&writes, &owned, projections).await.map(Some),
        Err(_) => Err(EngineError::Constraint("deciding a batch panicked".to_owned())),
    };
    let statements = batch.statements + read_statements(reads);
    metrics::counter!("mercat_store_statements_total", "service" => shared.service)
        .increment(statements);
    end(shared, lease, outcome).await
}

/// A connection inside a transaction, and what was loaded there.
async fn begin<'a>(
    shared: &'a Shared,
    reads: &ReadSet,
) -> Result<(Lease<'a>, Loaded), EngineError> {
    let mut left = TRIES;
    loop {
        left -= 1;
        let mut lease = shared.connections.take(Purpose::Batch).await?;
        let loaded = async {
            sqlx::raw_sql("BEGIN").execute(&mut lease.connection).await.map_err(Fault::Sql)?;
            load(shared, &mut lease.connection, reads).await
        };
        match loaded.await {
            Ok(loaded) => return Ok((lease, loaded)),
            Err(Fault::Sql(error)) if is_lost(&error) && left > 0 => {
                shared.connections.forget_idle();
            }
            // The connection is closed with its transaction.
            Err(Fault::Sql(error)) => return Err(refused(&shared.layout, &error)),
            Err(Fault::Engine(error)) => return Err(error),
        }
    }
}

enum Fault {
    Sql(sqlx::Error),
    Engine(EngineError),
}

async fn end(
    shared: &Shared,
    mut lease: Lease<'_>,
    outcome: Result<Option<Applied>, EngineError>,
) -> Result<Applied, EngineError> {
    let Ok(Some(applied)) = outcome else {
        // Closed instead of given back when not even that works.
        if sqlx::raw_sql("ROLLBACK").execute(&mut lease.connection).await.is_ok() {
            lease.give_back();
        }
        return outcome.map(Option::unwrap_or_default);
    };
    match sqlx::raw_sql("COMMIT").execute(&mut lease.connection).await {
        Ok(_) => {
            lease.give_back();
            metrics::counter!("mercat_store_commits_total", "service" => shared.service)
                .increment(1);
            Ok(applied)
        }
        Err(error) => Err(uncommitted(&error)),
    }
}

fn read_statements(reads: &ReadSet) -> u64 {
    let tables = reads.aggregates.chunk_by(|a, b| a.0 == b.0).count();
    let records = [reads.inbox.is_empty(), reads.idempotency.is_empty()];
    (tables + records.iter().filter(|empty| !**empty).count()) as u64
}

/// Rows in the order of table and id, as every batch of every replica takes them.
async fn load(
    shared: &Shared,
    connection: &mut PgConnection,
    reads: &ReadSet,
) -> Result<Loaded, Fault> {
    let mut loaded = Loaded { aggregates: HashMap::new(), ..Loaded::default() };
    for keys in reads.aggregates.chunk_by(|a, b| a.0 == b.0) {
        let table = shared.layout.table(keys[0].0).map_err(Fault::Engine)?;
        let ids: Vec<Uuid> = keys.iter().map(|(_, id)| *id).collect();
        let found = sqlx::query(AssertSqlSafe(table.lock.clone())).bind(ids);
        for row in found.fetch_all(&mut *connection).await.map_err(Fault::Sql)? {
            let row = rows::raw_row(&row).map_err(Fault::Sql)?;
            loaded.aggregates.insert((table.name, row.id), row);
        }
    }
    records::load(connection, reads, &mut loaded).await.map_err(Fault::Sql)?;
    Ok(loaded)
}

/// The writing half of a transaction.
pub(super) struct Batch<'a> {
    shared: &'a Shared,
    connection: &'a mut PgConnection,
    statements: u64,
}

impl Batch<'_> {
    async fn write(
        &mut self,
        writes: &WriteSet,
        owned: &Owned,
        projections: &[Arc<dyn PostgresProjection>],
    ) -> Result<Applied, EngineError> {
        for rows in writes.rows.chunk_by(|a, b| a.aggregate.table == b.aggregate.table) {
            self.write_table(rows).await?;
        }
        let changes: Vec<Change<'_>> = writes.rows.iter().map(Change::of).collect();
        for projection in projections {
            let outcome = projection.apply(self.connection, &changes).await;
            outcome.map_err(|error| refused(&self.shared.layout, &error))?;
        }
        records::write(self, writes, owned).await
    }

    async fn write_table(&mut self, rows: &[RowWrite]) -> Result<(), EngineError> {
        let table = self.shared.layout.table(rows[0].aggregate.table)?;
        let (kept, gone): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.state.is_some());
        let (new, old): (Vec<_>, Vec<_>) = kept.into_iter().partition(|row| row.expected == 0);
        // Deletes first: they free unique values for what comes behind them.
        if !gone.is_empty() {
            let delete = sqlx::query(AssertSqlSafe(table.delete.clone()))
                .bind(each(&gone, |row| row.id))
                .bind(each(&gone, |row| row.expected as i64));
            self.exactly(gone.len(), delete).await?;
        }
        if !old.is_empty() {
            let update = sqlx::query(AssertSqlSafe(table.update.clone()))
                .bind(each(&old, |row| row.id))
                .bind(each(&old, |row| row.expected as i64))
                .bind(each(&old, |row| row.version as i64))
                .bind(each(&old, |row| row.seq as i64));
            let update = columns(table, update, &old)?;
            self.exactly(old.len(), update).await?;
        }
        if !new.is_empty() {
            let insert = sqlx::query(AssertSqlSafe(table.insert.clone()))
                .bind(each(&new, |row| row.id))
                .bind(each(&new, |row| row.version as i64))
                .bind(each(&new, |row| row.seq as i64));
            let insert = columns(table, insert, &new)?;
            self.exactly(new.len(), insert).await?;
        }
        Ok(())
    }

    /// Runs a statement that must touch so many rows; fewer, and somebody else was there first.
    pub(super) async fn exactly(
        &mut self,
        rows: usize,
        statement: Statement<'_>,
    ) -> Result<(), EngineError> {
        let touched = self.execute(statement).await?;
        if touched == rows as u64 { Ok(()) } else { Err(EngineError::Changed) }
    }

    pub(super) async fn execute(&mut self, statement: Statement<'_>) -> Result<u64, EngineError> {
        self.statements += 1;
        let outcome = statement.execute(&mut *self.connection).await;
        let done = outcome.map_err(|error| refused(&self.shared.layout, &error))?;
        Ok(done.rows_affected())
    }

    pub(super) async fn places(
        &mut self,
        statement: Statement<'_>,
    ) -> Result<Vec<i64>, EngineError> {
        self.statements += 1;
        let outcome = statement.fetch_all(&mut *self.connection).await;
        let found = outcome.map_err(|error| refused(&self.shared.layout, &error))?;
        let places = found.iter().map(|row| sqlx::Row::try_get(row, 0));
        places.collect::<sqlx::Result<_>>().map_err(|error| unavailable(&error))
    }
}

pub(super) fn each<'r, R, T>(rows: &'r [R], of: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// The declared columns, and the states behind them.
fn columns<'q>(
    table: &TableLayout,
    mut statement: Statement<'q>,
    rows: &[&'q RowWrite],
) -> Result<Statement<'q>, EngineError> {
    for (at, column) in table.columns.iter().enumerate() {
        let values: Vec<&Value> = each(rows, |row| row.columns.get(at).unwrap_or(&Value::Null));
        if !values.iter().all(|value| column.kind.holds(value)) {
            let text = format!("{}.{} cannot hold a value", table.name, column.name);
            return Err(EngineError::Constraint(text));
        }
        statement = column.kind.bind_all(statement, &values);
    }
    let states = rows.iter().map(|row| row.state.as_ref().map(|(_, text)| text.as_str()));
    Ok(statement.bind(states.collect::<Vec<_>>()))
}
