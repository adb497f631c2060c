//! What can go wrong in a use case.

use kernel::{Business, ErrorKind, FieldError};
use platform::store::StoreError;

use crate::domain::Refusal;
use crate::ports::NoAnswer;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    #[error(transparent)]
    Store(StoreError),
    /// The aggregate changed between reading and writing; read again and try again.
    #[error("somebody else is changing the same thing; try again")]
    Moved,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unique { column, .. } if column == "open_owner" => {
                Self::Refusal(Refusal::OpenCartExists)
            }
            error => Self::Store(error),
        }
    }
}

impl Business for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Refusal(error) => error.kind(),
            Self::NoAnswer(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Moved => ErrorKind::Conflict,
        }
    }

    fn slug(&self) -> &'static str {
        match self {
            Self::Refusal(error) => error.slug(),
            Self::NoAnswer(error) => error.slug(),
            Self::Store(error) => error.slug(),
            Self::Moved => "contention",
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Refusal(error) => error.fields(),
            Self::NoAnswer(_) | Self::Store(_) | Self::Moved => Vec::new(),
        }
    }
}
