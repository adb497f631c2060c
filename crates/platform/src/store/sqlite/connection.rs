//! How a connection is set up.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::unavailable;
use crate::store::engine::EngineError;

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// `synchronous=FULL`: an acknowledged commit survives power loss. Off only where a test or a
    /// benchmark says so in so many words.
    pub durable: bool,
    /// Page cache of the writer, in KiB; readers get a quarter each.
    pub cache_kib: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { durable: true, cache_kib: 4096 }
    }
}

/// What is deleted is overwritten where its page is written anyway (`secure_delete=FAST`): that costs
/// no write, and erased personal data does not outlive its row there.
pub(super) fn writer(path: &Path, options: Options) -> Result<Connection, EngineError> {
    let connection = Connection::open(path)
        .map_err(|error| EngineError::Unavailable(format!("{}: {error}", path.display())))?;
    let synchronous = if options.durable { "FULL" } else { "OFF" };
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA foreign_keys=ON; \
             PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=2000; PRAGMA busy_timeout=5000; \
             PRAGMA journal_size_limit=67108864; PRAGMA secure_delete=FAST; \
             PRAGMA cache_size=-{};",
            options.cache_kib
        ))
        .map_err(|error| unavailable(&error))?;
    took_hold(&connection, options)
        .map_err(|why| EngineError::Unavailable(format!("{}: {why}", path.display())))?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

/// SQLite answers a journal mode that it cannot have, as on a file system without shared memory, by
/// keeping another, and says nothing. Whoever relies on what was asked for has to look.
fn took_hold(connection: &Connection, options: Options) -> Result<(), String> {
    let failed = |error: rusqlite::Error| error.to_string();
    let journal = connection
        .pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))
        .map_err(failed)?;
    let synchronous = connection
        .pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0))
        .map_err(failed)?;
    let wanted = if options.durable { FULL } else { OFF };
    if journal == "wal" && synchronous == wanted {
        return Ok(());
    }
    Err(format!(
        "journal_mode is {journal} and synchronous is {synchronous}; wal and {wanted} were asked for, \
         and without them nothing that is answered would be safe"
    ))
}

/// As `PRAGMA synchronous` tells it.
const FULL: i64 = 2;
const OFF: i64 = 0;

pub(super) fn reader(path: &Path, options: Options) -> Result<Connection, EngineError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| unavailable(&error))?;
    connection
        .execute_batch(&format!(
            "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA busy_timeout=5000; \
             PRAGMA cache_size=-{};",
            (options.cache_kib / 4).max(512)
        ))
        .map_err(|error| unavailable(&error))?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_is_synced_unless_somebody_said_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let synchronous = |options: Options, name: &str| {
            let connection = writer(&folder.path().join(name), options).unwrap();
            connection.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!(synchronous(Options::default(), "default.db"), FULL);
        assert_eq!(synchronous(Options { durable: false, ..Options::default() }, "weak.db"), OFF);
    }

    #[test]
    fn a_database_that_cannot_have_a_log_is_refused() {
        // One in memory keeps its own journal mode, whatever is asked for.
        let error = writer(Path::new(":memory:"), Options::default()).unwrap_err().to_string();
        assert!(error.contains("journal_mode is memory"), "{error}");
    }
}
