//! What can go wrong in the store, as a caller sees it.

use kernel::{Business, ErrorKind};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or refuses to work. Whether a write happened is not known.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// A unique column already holds the value.
    #[error("{table} with the same {column} already exists")]
    Unique { table: String, column: String },
    /// The idempotency key was used with another request.
    #[error("the idempotency key was used before, with another request")]
    KeyReused,
    /// The first request with this idempotency key has not ended.
    #[error("a request with this idempotency key is still running; ask again for its answer")]
    KeyInProgress,
    /// An event came before its predecessors; it has to be delivered again later.
    #[error("an earlier event of the aggregate has not arrived yet")]
    Gap {
        /// The last version that was applied; 0 when there is none.
        after: u64,
    },
    #[error("the deadline passed before the command was taken up")]
    DeadlineExceeded,
    /// Too many commands wait. Nothing was done.
    #[error("too many requests wait for the store; nothing was done, try again")]
    Overloaded,
    /// A defect: a row that cannot be read, a constraint that the domain should have kept.
    #[error("{0}")]
    Corrupt(String),
}

impl Business for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unavailable(_) | Self::Overloaded => ErrorKind::Unavailable,
            Self::Unique { .. } | Self::KeyInProgress => ErrorKind::Conflict,
            Self::KeyReused => ErrorKind::Unprocessable,
            Self::DeadlineExceeded => ErrorKind::DeadlineExceeded,
            Self::Gap { .. } | Self::Corrupt(_) => ErrorKind::Internal,
        }
    }

    fn slug(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "store-unavailable",
            Self::Unique { .. } => "already-exists",
            Self::KeyReused => "idempotency-key-reused",
            Self::KeyInProgress => "idempotency-key-in-progress",
            Self::Gap { .. } => "event-out-of-order",
            Self::DeadlineExceeded => "deadline-exceeded",
            Self::Overloaded => "overloaded",
            Self::Corrupt(_) => "internal",
        }
    }
}
