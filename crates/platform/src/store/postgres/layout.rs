//! The tables as the database has them, and the statements that follow from that.
//!
//! Types of columns stand in the migrations alone; here they are read back, so that arrays of
//! values can be sent with their right type, and a schema that lacks a declared column is refused
//! at the start.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, Row as _};

use super::refusal::unavailable;
use super::script::Script;
use crate::store::aggregate::{AggregateType, Schema};
use crate::store::engine::EngineError;
use crate::store::value::Value;

pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Uuid,
}

impl Kind {
    fn of(sql: &str) -> Option<Self> {
        match sql {
            "int8" => Some(Self::Int),
            "text" => Some(Self::Text),
            "uuid" => Some(Self::Uuid),
            _ => None,
        }
    }

    fn sql(self) -> &'static str {
        match self {
            Self::Int => "bigint",
            Self::Text => "text",
            Self::Uuid => "uuid",
        }
    }

    /// Can a column of this kind hold the value? Null always; text may not hold NUL.
    pub fn holds(self, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Null) | (Self::Int, Value::Int(_)) | (Self::Uuid, Value::Uuid(_)) => true,
            (Self::Text, Value::Text(text)) => !text.contains('\0'),
            _ => false,
        }
    }

    /// One value, of this kind or null.
    pub fn bind<'q>(self, statement: Statement<'q>, value: &Value) -> Statement<'q> {
        match self {
            Self::Int => statement.bind(int(value)),
            Self::Text => statement.bind(text(value).map(str::to_owned)),
            Self::Uuid => statement.bind(uuid(value)),
        }
    }

    /// A column of values.
    pub fn add_all(self, script: &mut Script, values: &[&Value]) -> Result<(), EngineError> {
        match self {
            Self::Int => script.add(values.iter().map(|v| int(v)).collect::<Vec<_>>()),
            Self::Text => script.add(values.iter().map(|v| text(v)).collect::<Vec<_>>()),
            Self::Uuid => script.add(values.iter().map(|v| uuid(v)).collect::<Vec<_>>()),
        }
    }
}

fn int(value: &Value) -> Option<i64> {
    if let Value::Int(value) = value { Some(*value) } else { None }
}

fn text(value: &Value) -> Option<&str> {
    if let Value::Text(value) = value { Some(value) } else { None }
}

fn uuid(value: &Value) -> Option<kernel::id::Uuid> {
    if let Value::Uuid(value) = value { Some(*value) } else { None }
}

pub(super) struct ColumnLayout {
    pub name: &'static str,
    pub kind: Kind,
    pub nullable: bool,
}

/// A unique index, by what it is called in the database.
pub(super) enum Index {
    Primary,
    Column(String),
}

/// What is done to a table. All but the first are parts of a [`Script`].
pub(super) struct TableLayout {
    pub name: &'static str,
    pub columns: Vec<ColumnLayout>,
    /// By one id.
    pub find: Arc<str>,
    /// By ids, in their order. How many there are is hidden from the planner, which would plan anew
    /// for each number.
    pub get: Arc<str>,
    /// By ids, in any order.
    pub load: String,
    /// The same; nobody else changes the rows until the transaction ends.
    pub lock: String,
    /// Rows of these versions stay as they are until the transaction ends: others may hold them, too.
    pub hold: String,
    /// The same, of rows of which some are changed then.
    pub seize: String,
    pub insert: String,
    pub update: String,
    pub delete: String,
    indexes: HashMap<String, Index>,
}

pub(super) struct Layout {
    tables: HashMap<&'static str, TableLayout>,
}

impl Layout {
    pub async fn read(connection: &mut PgConnection, schema: &Schema) -> Result<Self, EngineError> {
        let mut tables = HashMap::new();
        for aggregate in &schema.aggregates {
            let columns = columns(connection, aggregate).await?;
            let indexes = indexes(connection, aggregate.table).await;
            let indexes = indexes.map_err(|error| unavailable(&error))?;
            tables.insert(aggregate.table, TableLayout::new(aggregate.table, columns, indexes));
        }
        Ok(Self { tables })
    }

    pub fn table(&self, name: &str) -> Result<&TableLayout, EngineError> {
        self.tables
            .get(name)
            .ok_or_else(|| EngineError::Unavailable(format!("the schema declares no {name}")))
    }

    pub fn index(&self, table: &str, index: &str) -> Option<&Index> {
        self.tables.get(table)?.indexes.get(index)
    }
}

impl TableLayout {
    fn new(
        table: &'static str,
        columns: Vec<ColumnLayout>,
        indexes: HashMap<String, Index>,
    ) -> Self {
        let names: String = columns.iter().flat_map(|c| ["\"", c.name, "\", "]).collect();
        let sets: String =
            columns.iter().flat_map(|c| ["\"", c.name, "\" = w.\"", c.name, "\", "]).collect();
        // Behind the fixed arrays: one for each column, then the states.
        let arrays: String = columns.iter().flat_map(|c| ["?::", c.kind.sql(), "[], "]).collect();
        let load = format!(
            "SELECT id, version, seq, state::text AS state FROM \"{table}\" WHERE id = ANY(?)"
        );
        let versions = format!(
            "SELECT 1 FROM unnest(?::uuid[], ?::bigint[]) AS w (id, version) \
             JOIN \"{table}\" AS t ON t.id = w.id AND t.version = w.version"
        );
        Self {
            name: table,
            find: format!("SELECT id, version, seq, state::text FROM \"{table}\" WHERE id = $1")
                .into(),
            get: format!(
                "SELECT t.id, t.version, t.seq, t.state::text \
                 FROM unnest((SELECT $1::uuid[])) WITH ORDINALITY AS w (id, place) \
                 JOIN \"{table}\" AS t ON t.id = w.id ORDER BY w.place"
            )
            .into(),
            lock: format!("{load} ORDER BY id FOR UPDATE"),
            load,
            hold: format!("{versions} FOR SHARE OF t"),
            seize: format!("{versions} FOR UPDATE OF t"),
            insert: format!(
                "INSERT INTO \"{table}\" (id, version, seq, {names}state) \
                 SELECT id, version, seq, {names}state::jsonb \
                 FROM unnest(?::uuid[], ?::bigint[], ?::bigint[], {arrays}?::text[]) \
                 AS w (id, version, seq, {names}state) RETURNING 1"
            ),
            update: format!(
                "UPDATE \"{table}\" AS t SET version = w.version, seq = w.seq, {sets}\
                 state = w.state::jsonb FROM unnest(?::uuid[], ?::bigint[], ?::bigint[], \
                 ?::bigint[], {arrays}?::text[]) AS w (id, expected, version, seq, {names}state) \
                 WHERE t.id = w.id AND t.version = w.expected RETURNING 1"
            ),
            delete: format!(
                "DELETE FROM \"{table}\" AS t USING unnest(?::uuid[], ?::bigint[]) \
                 AS w (id, expected) WHERE t.id = w.id AND t.version = w.expected RETURNING 1"
            ),
            columns,
            indexes,
        }
    }

    pub fn column(&self, name: &str) -> Result<&ColumnLayout, EngineError> {
        self.columns
            .iter()
            .find(|column| column.name == name)
            .ok_or_else(|| EngineError::Unavailable(format!("{} declares no {name}", self.name)))
    }
}

/// The declared columns in their order, with the types of the database.
async fn columns(
    connection: &mut PgConnection,
    aggregate: &AggregateType,
) -> Result<Vec<ColumnLayout>, EngineError> {
    let table = aggregate.table;
    let rows = sqlx::query(
        "SELECT a.attname::text, t.typname::text, a.attnotnull FROM pg_attribute AS a \
         JOIN pg_type AS t ON t.oid = a.atttypid \
         WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped",
    )
    .bind(table)
    .fetch_all(connection)
    .await
    .map_err(|error| unavailable(&error))?;
    let mut found = HashMap::new();
    for row in rows {
        let read = || -> sqlx::Result<(String, (String, bool))> {
            Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)))
        };
        let (name, column) = read().map_err(|error| unavailable(&error))?;
        found.insert(name, column);
    }
    let column = |name: &'static str| {
        let missing = || EngineError::Unavailable(format!("the database has no {table}.{name}"));
        let (sql, required) = found.get(name).ok_or_else(missing)?;
        let kind = Kind::of(sql).ok_or_else(|| {
            let text = format!("{table}.{name} is {sql}; it may be bigint, text or uuid");
            EngineError::Unavailable(text)
        })?;
        Ok(ColumnLayout { name, kind, nullable: !required })
    };
    aggregate.columns.iter().map(|declared| column(declared.name)).collect()
}

async fn indexes(
    connection: &mut PgConnection,
    table: &str,
) -> sqlx::Result<HashMap<String, Index>> {
    let rows = sqlx::query(
        "SELECT c.relname::text, a.attname::text, i.indisprimary FROM pg_index AS i \
         JOIN pg_class AS c ON c.oid = i.indexrelid \
         JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
         WHERE i.indrelid = to_regclass(quote_ident($1)) AND i.indisunique",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let mut found = HashMap::new();
    for row in rows {
        let primary: bool = row.try_get(2)?;
        let index = if primary { Index::Primary } else { Index::Column(row.try_get(1)?) };
        found.insert(row.try_get(0)?, index);
    }
    Ok(found)
}
