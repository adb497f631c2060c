//! A made-up service to run the contract on: accounts with a balance.

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use kernel::Timestamp;
use kernel::id::Uuid;
use platform::Context;
use platform::env::TestEnv;
use platform::event::Event;
use platform::executor::{Command, Executor, Keys, States};
use platform::store::postgres::sqlx;
use platform::store::{
    Aggregate, Change, Column, Engine, MemoryProjection, Migration, PostgresProjection, Schema,
    SqliteProjection, StoreError, Value,
};
use platform::testing::{executor_in_memory, executor_in_sqlite};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Box_ {
    pub label: Option<String>,
    pub weight: i64,
    pub owner: Uuid,
}

impl Aggregate for Box_ {
    const TABLE: &'static str = "box";
    const COLUMNS: &'static [Column] =
        &[Column::unique("label"), Column::plain("weight"), Column::plain("owner")];
    fn columns(&self) -> Vec<Value> {
        assert_ne!(self.label.as_deref(), Some("explodes"), "a defect in an aggregate");
        vec![self.label.clone().into(), self.weight.into(), self.owner.into()]
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shelf {
    pub boxes: u32,
}

impl Aggregate for Shelf {
    const TABLE: &'static str = "shelf";
    const COLUMNS: &'static [Column] = &[];
    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }
}

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "init",
    sqlite: "CREATE TABLE box (id BLOB PRIMARY KEY, version INTEGER NOT NULL, seq INTEGER NOT NULL, \
             label TEXT UNIQUE, weight INTEGER NOT NULL CHECK (weight >= 0), owner BLOB NOT NULL, \
             state TEXT NOT NULL) STRICT, WITHOUT ROWID; \
             CREATE INDEX box_weight ON box (weight, id); \
             CREATE TABLE shelf (id BLOB PRIMARY KEY, version INTEGER NOT NULL, \
             seq INTEGER NOT NULL, state TEXT NOT NULL) STRICT, WITHOUT ROWID; \
             CREATE TABLE heavy (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;",
    postgres: Some(
        "CREATE TABLE box (id UUID PRIMARY KEY, version BIGINT NOT NULL, seq BIGINT NOT NULL, \
         label TEXT COLLATE \"C\" UNIQUE, weight BIGINT NOT NULL CHECK (weight >= 0), \
         owner UUID NOT NULL, state JSONB NOT NULL); \
         CREATE INDEX box_weight ON box (weight, id); \
         CREATE TABLE shelf (id UUID PRIMARY KEY, version BIGINT NOT NULL, \
         seq BIGINT NOT NULL, state JSONB NOT NULL); \
         CREATE TABLE heavy (id UUID PRIMARY KEY);",
    ),
}];

/// A projection of the boxes over 100, on every engine.
#[derive(Default)]
pub struct Heavy(pub Mutex<std::collections::BTreeSet<Uuid>>);

impl SqliteProjection for Heavy {
    fn apply(&self, tx: &rusqlite::Connection, changes: &[Change<'_>]) -> rusqlite::Result<()> {
        for change in changes.iter().filter(|change| change.table == Box_::TABLE) {
            tx.execute("DELETE FROM heavy WHERE id = ?", [change.id.as_bytes()])?;
            if change.state_of::<Box_>().is_some_and(|b| b.weight > 100) {
                tx.execute("INSERT INTO heavy (id) VALUES (?)", [change.id.as_bytes()])?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl PostgresProjection for Heavy {
    fn follows(&self, table: &str) -> bool {
        table == Box_::TABLE
    }

    async fn apply(&self, tx: &mut sqlx::PgConnection, changes: &[Change<'_>]) -> sqlx::Result<()> {
        for change in changes.iter().filter(|change| change.table == Box_::TABLE) {
            let heavy = change.state_of::<Box_>().is_some_and(|b| b.weight > 100);
            let sql = if heavy {
                "INSERT INTO heavy (id) VALUES ($1) ON CONFLICT DO NOTHING"
            } else {
                "DELETE FROM heavy WHERE id = $1"
            };
            sqlx::query(sql).bind(change.id).execute(&mut *tx).await?;
        }
        Ok(())
    }
}

impl MemoryProjection for Heavy {
    fn apply(&self, changes: &[Change<'_>]) {
        let mut heavy = self.0.lock().unwrap();
        for change in changes.iter().filter(|change| change.table == Box_::TABLE) {
            heavy.remove(&change.id);
            if change.state_of::<Box_>().is_some_and(|b| b.weight > 100) {
                heavy.insert(change.id);
            }
        }
    }
}

pub fn schema() -> (Schema, Arc<Heavy>) {
    let heavy = Arc::new(Heavy::default());
    let schema = Schema::new("sample", MIGRATIONS)
        .aggregate::<Box_>()
        .aggregate::<Shelf>()
        .project_sqlite(heavy.clone())
        .project_postgres(heavy.clone())
        .project_memory(heavy.clone());
    (schema, heavy)
}

/// The same without the projection: a batch needs no transaction around what it writes.
pub fn plain_schema() -> Schema {
    Schema::new("sample", MIGRATIONS).aggregate::<Box_>().aggregate::<Shelf>()
}

#[derive(Clone)]
pub struct Bench {
    pub executor: Executor,
    pub test: TestEnv,
    pub context: Context,
    /// `None` where no projection keeps them.
    heavy: Option<Arc<Heavy>>,
}

impl Bench {
    /// Over an engine of `schema`; several of them may share `test`, so that no two ids are equal.
    pub fn over(
        schema: &Schema,
        heavy: Option<Arc<Heavy>>,
        engine: Arc<dyn Engine>,
        test: TestEnv,
    ) -> Self {
        let executor = Executor::start(schema.service, &test.env, engine);
        Self::of((executor, test), heavy)
    }

    fn of((executor, test): (Executor, TestEnv), heavy: Option<Arc<Heavy>>) -> Self {
        let context =
            Context::background(&test.env, "test", std::time::Duration::from_hours(100_000));
        Self { executor, test, context, heavy }
    }

    pub fn id(&self) -> Uuid {
        self.test.env.uuid()
    }

    pub async fn run<C: Command<Error = StoreError>>(&self, c: C) -> Result<C::Reply, StoreError> {
        self.executor.execute(&self.context, c).await
    }

    pub async fn get(&self, id: Uuid) -> Option<Box_> {
        self.executor.store().get::<Box_>(id).await.unwrap().map(|found| found.state)
    }

    pub async fn heavy(&self) -> Vec<Uuid> {
        if let Some(reader) = self.executor.store().postgres_reader() {
            let sql = if self.heavy.is_some() {
                "SELECT id FROM heavy ORDER BY id"
            } else {
                "SELECT id FROM box WHERE weight > 100 ORDER BY id"
            };
            let rows = reader.rows(sql, Default::default()).await;
            return rows.unwrap().iter().map(|row| sqlx::Row::get(row, 0)).collect();
        }
        match self.executor.store().sqlite_reader() {
            None => self.heavy.iter().flat_map(|heavy| heavy.0.lock().unwrap().clone()).collect(),
            Some(reader) => {
                let read = |connection: &rusqlite::Connection| {
                    let mut statement = connection.prepare("SELECT id FROM heavy ORDER BY id")?;
                    let ids = statement.query_map([], |row| row.get::<_, [u8; 16]>(0))?;
                    ids.map(|id| id.map(Uuid::from_bytes)).collect()
                };
                reader.read(read).await.unwrap()
            }
        }
    }
}

pub fn memory() -> Bench {
    let (schema, heavy) = schema();
    Bench::of(executor_in_memory(&schema), Some(heavy))
}

pub fn sqlite(folder: &Path) -> Bench {
    let (schema, heavy) = schema();
    Bench::of(executor_in_sqlite(&schema, folder), Some(heavy))
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct BoxPut {
    #[prost(int64, tag = "1")]
    pub weight: i64,
}

impl Event for BoxPut {
    const TYPE: &'static str = "mercat.sample.BoxPut.v1";
}

pub fn a_box(label: &str, weight: i64) -> Box_ {
    Box_ { label: Some(label.to_owned()), weight, owner: Uuid::from_u128(7) }
}

/// Puts a box and tells of it; replies with the version the row gets.
pub struct PutBox {
    pub id: Uuid,
    pub state: Box_,
}

impl Command for PutBox {
    type Reply = u64;
    type Error = StoreError;
    fn keys(&self, keys: &mut Keys) {
        keys.add::<Box_>(self.id);
    }
    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<u64, StoreError> {
        states.put(self.id, self.state.clone());
        states.emit::<Box_, _>(self.id, &BoxPut { weight: self.state.weight });
        Ok(states.version::<Box_>(self.id))
    }
}

/// Adds to the weight of a box that exists, if the sum stays within `most`.
pub struct AddWeight {
    pub id: Uuid,
    pub by: i64,
    pub most: i64,
}

impl Command for AddWeight {
    type Reply = i64;
    type Error = StoreError;
    fn keys(&self, keys: &mut Keys) {
        keys.add::<Box_>(self.id);
    }
    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<i64, StoreError> {
        let mut state = states.get::<Box_>(self.id).cloned().ok_or_else(no_box)?;
        state.weight += self.by;
        let weight = state.weight;
        // Put first, so that the tests see a rejection take it back.
        states.put(self.id, state);
        states.emit::<Box_, _>(self.id, &BoxPut { weight });
        if weight > self.most {
            Err(StoreError::Unavailable("too heavy".into()))
        } else {
            Ok(weight)
        }
    }
}

pub fn no_box() -> StoreError {
    StoreError::Unavailable("no such box".into())
}
