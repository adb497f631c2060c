//! Brings a database to the schema that this binary knows, or refuses.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::unavailable;
use crate::store::aggregate::{ENGINE, Migration, Schema};
use crate::store::engine::EngineError;

/// Applies what is missing, each step in its own transaction. A database that is newer than the
/// binary, or whose history differs, is left alone and named in the error.
pub(super) fn run(connection: &mut Connection, schema: &Schema) -> Result<(), EngineError> {
    connection
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS schema_migration (\
             owner TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, \
             PRIMARY KEY (owner, number)) STRICT, WITHOUT ROWID",
        )
        .map_err(|error| unavailable(&error))?;
    for (owner, migrations) in [("platform", ENGINE), (schema.service, schema.migrations)] {
        check_known(connection, owner, migrations)?;
        for migration in migrations {
            apply(connection, owner, migration).map_err(|error| {
                EngineError::Unavailable(format!(
                    "migration {:04}_{} of {owner} failed: {error}",
                    migration.number, migration.name
                ))
            })?;
        }
    }
    Ok(())
}

fn check_known(
    connection: &Connection,
    owner: &str,
    known: &[Migration],
) -> Result<(), EngineError> {
    let newest: Option<u32> = connection
        .query_row("SELECT max(number) FROM schema_migration WHERE owner = ?", [owner], |row| {
            row.get(0)
        })
        .map_err(|error| unavailable(&error))?;
    let newest_known = known.last().map_or(0, |migration| migration.number);
    match newest {
        Some(newest) if newest > newest_known => Err(EngineError::Unavailable(format!(
            "the database of {owner} is at migration {newest}, this binary knows {newest_known}: \
             start a newer binary"
        ))),
        _ => Ok(()),
    }
}

fn apply(connection: &mut Connection, owner: &str, migration: &Migration) -> Result<(), String> {
    let tx = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| error.to_string())?;
    let applied: Option<String> = tx
        .query_row(
            "SELECT name FROM schema_migration WHERE owner = ? AND number = ?",
            (owner, migration.number),
            |row| row.get(0),
        )
        .optional()
        .map_err(|error| error.to_string())?;
    match applied {
        Some(name) if name == migration.name => return Ok(()),
        Some(name) => return Err(format!("the database has {name:?} under this number")),
        None => {}
    }
    tx.execute_batch(migration.sqlite).map_err(|error| error.to_string())?;
    tx.execute(
        "INSERT INTO schema_migration (owner, number, name) VALUES (?, ?, ?)",
        (owner, migration.number, migration.name),
    )
    .map_err(|error| error.to_string())?;
    tx.commit().map_err(|error| error.to_string())
}
