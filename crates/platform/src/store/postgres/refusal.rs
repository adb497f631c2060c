//! What an error of the database means for a batch.

use sqlx::Error;
use sqlx::error::DatabaseError;

use super::layout::{Index, Layout};
use crate::store::engine::EngineError;

pub(super) fn unavailable(error: &Error) -> EngineError {
    EngineError::Unavailable(told(error))
}

/// What the server says, without where in its source it does.
pub(super) fn told(error: &Error) -> String {
    match error {
        Error::Database(database) => format!("postgres: {}", database.message()),
        error => format!("postgres: {error}"),
    }
}

/// Would no other try end otherwise? The address cannot be read, or the server knows us not
/// (class 28: role or password).
pub(super) fn is_final(error: &Error) -> bool {
    match error {
        Error::Configuration(_) => true,
        Error::Database(database) => database.code().is_some_and(|code| code.starts_with("28")),
        _ => false,
    }
}

/// Is the connection gone, or the server not ready for it? Then another try is worth it, if
/// nothing was done yet. Codes: class 08 connection, 57P0x shutdown and start, 53300 too many
/// connections, 25006 and 25P03 a server that only reads now, or that gave us up.
pub(super) fn is_lost(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Protocol(_) | Error::WorkerCrashed | Error::Tls(_) => true,
        Error::Database(database) => database.code().is_some_and(|code| {
            code.starts_with("08")
                || code.starts_with("57P0")
                || ["53300", "25006", "25P03"].contains(&code.as_ref())
        }),
        _ => false,
    }
}

/// Of a statement inside the transaction, which is rolled back.
pub(super) fn refused(layout: &Layout, error: &Error) -> EngineError {
    let Error::Database(database) = error else { return unavailable(error) };
    let code = database.code().unwrap_or_default();
    match code.as_ref() {
        "23505" => unique(layout, database.as_ref()),
        // A deadlock or a serialization failure: somebody else went first.
        "40001" | "40P01" => EngineError::Changed,
        // Integrity, and data that no column can hold.
        other if other.starts_with("23") || other.starts_with("22") => {
            EngineError::Constraint(database.message().to_owned())
        }
        _ => unavailable(error),
    }
}

fn unique(layout: &Layout, database: &dyn DatabaseError) -> EngineError {
    let table = database.table().unwrap_or_default();
    let index = database.constraint().unwrap_or_default();
    match layout.index(table, index) {
        // The row was not there when it was loaded; somebody else has put it since.
        Some(Index::Primary) => EngineError::Changed,
        Some(Index::Column(column)) => {
            EngineError::Unique { table: table.to_owned(), column: column.clone() }
        }
        None => EngineError::Constraint(database.message().to_owned()),
    }
}

/// Of the COMMIT itself. Only an answer that says so means that nothing was applied.
pub(super) fn uncommitted(error: &Error) -> EngineError {
    match error {
        Error::Database(database)
            if database.code().is_some_and(|code| ["40001", "40P01"].contains(&code.as_ref())) =>
        {
            EngineError::Changed
        }
        _ => unavailable(error),
    }
}
