//! The databases of a simulated shop: rows that somebody holds in memory, put into databases that
//! are in memory, too, so that the same checks read them.

use std::cell::RefCell;
use std::ops::Deref;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::copied::{Kind, Table, tables_of};
use crate::Error;

/// A value of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The values of a row by the names of their columns.
pub type Named<'a> = [(&'a str, Cell<'a>)];

/// What a simulated shop holds.
pub trait Rows: std::fmt::Debug {
    /// Hands out each row of a table: its values by the names of their columns, in any order, and
    /// more of them than are asked for if that is easier.
    fn each(&self, service: &str, table: &str, row: &mut dyn FnMut(&Named<'_>));

    /// What the test provider wrote down.
    fn ledger(&self) -> &[u8];
}

/// A connection, and what becomes of it in the end.
pub struct Opened {
    /// `None` only when it goes.
    connection: Option<Connection>,
    is_spared: bool,
}

thread_local! {
    /// Databases in memory with all tables and without rows, their statements prepared. Making them
    /// takes longer than looking at what one simulated shop holds.
    static SPARE: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

impl Opened {
    /// Ends when it is dropped.
    pub fn once(connection: Connection) -> Self {
        Self { connection: Some(connection), is_spared: false }
    }
}

impl Deref for Opened {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take().filter(|_| self.is_spared) else { return };
        // All that was written since `BEGIN` goes: rows and what the checks found in them.
        if connection.execute_batch("ROLLBACK").is_ok() {
            // At the end of a thread nobody keeps it.
            let _ = SPARE.try_with(|spare| spare.replace(Some(connection)));
        }
    }
}

/// A connection to which the databases are attached as those of files would be, in a transaction
/// that nobody commits. `temporary` makes the tables of the checks.
pub fn connect(rows: &dyn Rows, others: &[&'static str], temporary: &str) -> Result<Opened, Error> {
    let connection = match SPARE.take() {
        Some(connection) => connection,
        None => empty(others, temporary)?,
    };
    connection.execute_batch("BEGIN")?;
    let opened = Opened { connection: Some(connection), is_spared: true };
    for (service, schema) in places(others) {
        for table in tables_of(service) {
            fill(&opened, rows, service, schema, table)?;
        }
    }
    Ok(opened)
}

/// Each service and the name of its database.
fn places(others: &[&'static str]) -> impl Iterator<Item = (&'static str, &'static str)> {
    std::iter::once(("ordering", "main")).chain(others.iter().map(|name| (*name, *name)))
}

fn empty(others: &[&'static str], temporary: &str) -> Result<Connection, Error> {
    let connection = Connection::open_in_memory()?;
    connection.set_prepared_statement_cache_capacity(256);
    connection.execute_batch("PRAGMA temp_store=MEMORY")?;
    for name in others {
        connection.execute(&format!("ATTACH ':memory:' AS {name}"), [])?;
    }
    for (service, schema) in places(others) {
        for table in tables_of(service) {
            connection.execute_batch(&table.create_in(schema))?;
        }
    }
    connection.execute_batch(temporary)?;
    Ok(connection)
}

fn fill(
    connection: &Connection,
    rows: &dyn Rows,
    service: &str,
    schema: &str,
    table: &Table,
) -> Result<(), Error> {
    let mut insert = connection.prepare_cached(&table.insert_in(schema))?;
    let mut outcome = Ok(());
    rows.each(service, table.name, &mut |row| {
        let values = table.columns.iter().map(|(name, kind)| {
            let found = row.iter().find(|(column, _)| column == name);
            let value = found.map_or(Cell::Null, |(_, value)| *value);
            if matches!(kind, Kind::Answer) && !is_told(row) { Cell::Null } else { value }
        });
        let values = rusqlite::params_from_iter(values);
        if outcome.is_ok() {
            outcome = insert.execute(values).map(|_| ());
        }
    });
    Ok(outcome?)
}

/// Only answers that tell of a completed cart are looked at.
fn is_told(row: &[(&str, Cell<'_>)]) -> bool {
    row.iter().any(|(name, value)| {
        *name == "route" && matches!(value, Cell::Text(route) if route.ends_with("/complete"))
    })
}
