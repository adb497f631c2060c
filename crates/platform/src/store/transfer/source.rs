//! The SQLite side, read in pages that fit in memory.

use std::path::Path;

use kernel::id::Uuid;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};

use super::TransferError;
use super::table::{Cell, Kind, Row, Table};
use crate::store::aggregate::Schema;
use crate::store::sqlite::{Options, SqliteEngine};

/// A page ends after so many rows, or with the row that makes it this heavy.
const PAGE: usize = 1_000;
const WEIGHT: usize = 4 << 20;

pub(super) struct Source {
    connection: Connection,
}

fn failed(error: rusqlite::Error) -> TransferError {
    TransferError::Source(error.to_string())
}

impl Source {
    /// Everything that is read afterwards is of one moment.
    pub fn open(path: &Path, schema: &Schema) -> Result<Self, TransferError> {
        // What an older version wrote is brought up to date first, as at any start.
        let engine = SqliteEngine::open(path, schema, Options::default());
        drop(engine.map_err(|error| TransferError::Source(error.to_string()))?);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.execute_batch("PRAGMA busy_timeout=5000; BEGIN").map_err(failed)?;
        Ok(Self { connection })
    }

    pub fn count(&self, table: &Table) -> Result<u64, TransferError> {
        let sql = format!("SELECT count(*) FROM \"{}\"", table.name);
        let count: i64 = self.connection.query_row(&sql, [], |row| row.get(0)).map_err(failed)?;
        Ok(count.unsigned_abs())
    }

    /// The rows behind the key `after`, in the order of their keys; none at the end.
    pub fn page(&self, table: &Table, after: Option<&[Cell]>) -> Result<Vec<Row>, TransferError> {
        let sql = table.select_page(after.is_none(), PAGE);
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
        let key = rusqlite::params_from_iter(after.unwrap_or_default());
        let mut found = statement.query(key).map_err(failed)?;
        let (mut rows, mut weight) = (Vec::new(), 0);
        while let Some(row) = found.next().map_err(failed)? {
            let mut cells = Vec::with_capacity(table.columns.len());
            for (at, column) in table.columns.iter().enumerate() {
                let value = row.get_ref(at).map_err(failed)?;
                let cell = cell(value, column.kind).ok_or_else(|| {
                    let (kind, got) = (column.kind, value.data_type());
                    let text =
                        format!("{}.{} holds {got} instead of {kind:?}", table.name, column.name);
                    TransferError::Source(text)
                })?;
                weight += cell.weight();
                cells.push(cell);
            }
            rows.push(cells);
            if weight >= WEIGHT {
                break;
            }
        }
        Ok(rows)
    }
}

fn cell(value: ValueRef<'_>, kind: Kind) -> Option<Cell> {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    match (value, kind) {
        (ValueRef::Null, _) => Some(Cell::Null),
        (ValueRef::Integer(value), Kind::Int) => Some(Cell::Int(value)),
        (ValueRef::Text(bytes), Kind::Text) => Some(Cell::Text(text(bytes)?)),
        (ValueRef::Text(bytes), Kind::Json) => Some(Cell::Json(text(bytes)?)),
        (ValueRef::Blob(bytes), Kind::Uuid) => Uuid::from_slice(bytes).ok().map(Cell::Uuid),
        (ValueRef::Blob(bytes), Kind::Bytes) => Some(Cell::Bytes(bytes.to_vec())),
        _ => None,
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(text) | Self::Json(text) => ValueRef::Text(text.as_bytes()),
            Self::Uuid(id) => ValueRef::Blob(id.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}
