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
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

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
