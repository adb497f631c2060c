//! What a table looks like, and the values in it.

use kernel::id::Uuid;

use crate::store::aggregate::AggregateType;

/// What a column holds, on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Uuid,
    Bytes,
    /// A document: text in SQLite, `jsonb` in PostgreSQL.
    Json,
}

impl Kind {
    /// By the name of PostgreSQL's type.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "int8" => Some(Self::Int),
            "text" => Some(Self::Text),
            "uuid" => Some(Self::Uuid),
            "bytea" => Some(Self::Bytes),
            "jsonb" => Some(Self::Json),
            _ => None,
        }
    }

    /// The type of the array that a column of values is sent as.
    fn array(self) -> &'static str {
        match self {
            Self::Int => "bigint[]",
            Self::Text | Self::Json => "text[]",
            Self::Uuid => "uuid[]",
            Self::Bytes => "bytea[]",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Uuid(Uuid),
    Bytes(Vec<u8>),
    Json(String),
}

impl Cell {
    /// About how much memory it takes.
    pub fn weight(&self) -> usize {
        match self {
            Self::Null | Self::Int(_) | Self::Uuid(_) => 16,
            Self::Text(text) | Self::Json(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

pub(super) type Row = Vec<Cell>;

#[derive(Clone)]
pub(super) struct Column {
    pub name: String,
    pub kind: Kind,
    /// The database numbers the rows itself, unless it is told not to.
    pub is_identity: bool,
}

#[derive(Clone)]
pub(super) struct Table {
    pub name: &'static str,
    /// `None`: one of the engine's own.
    pub aggregate: Option<AggregateType>,
    pub columns: Vec<Column>,
    /// Positions of the primary key in `columns`.
    pub key: Vec<usize>,
}

impl Table {
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }

    pub fn key_of(&self, row: &[Cell]) -> Row {
        self.key.iter().map(|at| row[*at].clone()).collect()
    }

    fn names(&self) -> String {
        let names = self.columns.iter().map(|column| format!("\"{}\"", column.name));
        names.collect::<Vec<_>>().join(", ")
    }

    fn key_names(&self, behind: &str) -> String {
        let names = self.key.iter().map(|at| format!("\"{}\"{behind}", self.columns[*at].name));
        names.collect::<Vec<_>>().join(", ")
    }

    /// SQLite: a page of rows, from the beginning or behind a key.
    pub fn select_page(&self, is_first: bool, limit: usize) -> String {
        let (names, key) = (self.names(), self.key_names(""));
        let marks = vec!["?"; self.key.len()].join(", ");
        let behind = if is_first { String::new() } else { format!("WHERE ({key}) > ({marks}) ") };
        format!("SELECT {names} FROM \"{}\" {behind}ORDER BY {key} LIMIT {limit}", self.name)
    }

    /// PostgreSQL: all rows in the order of their keys.
    pub fn select_all(&self) -> String {
        let columns = self.columns.iter().map(|column| match column.kind {
            Kind::Json => format!("\"{}\"::text", column.name),
            _ => format!("\"{}\"", column.name),
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        format!("SELECT {columns} FROM \"{}\" ORDER BY {}", self.name, self.key_names(""))
    }

    pub fn select_last_key(&self) -> String {
        let (key, order) = (self.key_names(""), self.key_names(" DESC"));
        format!("SELECT {key} FROM \"{}\" ORDER BY {order} LIMIT 1", self.name)
    }

    /// PostgreSQL: a page, one array a column.
    pub fn insert(&self) -> String {
        let names = self.names();
        let arrays = self.columns.iter().enumerate();
        let arrays = arrays.map(|(at, column)| format!("${}::{}", at + 1, column.kind.array()));
        let arrays = arrays.collect::<Vec<_>>().join(", ");
        let values = self.columns.iter().map(|column| match column.kind {
            Kind::Json => format!("\"{}\"::jsonb", column.name),
            _ => format!("\"{}\"", column.name),
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let numbered = self.columns.iter().any(|column| column.is_identity);
        let overriding = if numbered { "OVERRIDING SYSTEM VALUE " } else { "" };
        format!(
            "INSERT INTO \"{}\" ({names}) {overriding}\
             SELECT {values} FROM unnest({arrays}) AS w ({names})",
            self.name
        )
    }
}
