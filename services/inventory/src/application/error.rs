//! The one error of this service.

use kernel::{Business, ErrorKind, FieldError};
use platform::store::StoreError;

use crate::domain::Refusal;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("{field}: {message}")]
    Invalid { field: String, message: String },
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The command named too few keys, because a row appeared since it was prepared. A use case
    /// prepares it again; nobody outside sees this unless it happens three times in a row.
    #[error("stock is being set up at another location just now; try again")]
    Stale,
}

impl Error {
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }
}

impl Business for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(refusal) => refusal.kind(),
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::Store(error) => error.kind(),
            Self::Stale => ErrorKind::Conflict,
        }
    }

    fn slug(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.slug(),
            Self::Invalid { .. } => "invalid-request",
            Self::Store(error) => error.slug(),
            Self::Stale => "stock-busy",
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Refused(refusal) => refusal.fields(),
            Self::Invalid { field, message } => vec![FieldError::new(field, message)],
            Self::Store(error) => error.fields(),
            Self::Stale => Vec::new(),
        }
    }
}
