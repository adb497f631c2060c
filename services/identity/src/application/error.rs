//! The one error of this service.

use kernel::{Business, ErrorKind, FieldError};
use platform::store::StoreError;

use crate::domain::Rejection;
use crate::ports::{PasswordError, SigningError};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error(transparent)]
    Store(StoreError),
    /// The password hasher has more to do than it may. Nothing was done; safe to retry.
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// Nothing signs yet: the start-up of this service has not been able to make a key.
    #[error("there is no signing key")]
    NoSigningKey,
    #[error("not a cursor of this list")]
    BadCursor,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unique { table, column } => match (table.as_str(), column.as_str()) {
                ("account", "email") => Self::Rejected(Rejection::EmailTaken),
                ("role", "name") => Self::Rejected(Rejection::RoleNameTaken),
                _ => Self::Store(error),
            },
            _ => Self::Store(error),
        }
    }
}

impl Business for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Rejected(rejection) => rejection.kind(),
            Self::Store(error) => error.kind(),
            Self::Password(PasswordError::Busy) | Self::NoSigningKey => ErrorKind::Unavailable,
            Self::Password(PasswordError::Failed(_)) | Self::Signing(_) => ErrorKind::Internal,
            Self::BadCursor => ErrorKind::Invalid,
        }
    }

    fn slug(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.slug(),
            Self::Store(error) => error.slug(),
            Self::Password(PasswordError::Busy) => "sign-in-busy",
            Self::NoSigningKey => "starting",
            Self::Password(PasswordError::Failed(_)) | Self::Signing(_) => "internal",
            Self::BadCursor => "invalid-request",
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Rejected(rejection) => rejection.fields(),
            Self::Store(error) => error.fields(),
            Self::BadCursor => vec![FieldError::new("cursor", self.to_string())],
            _ => Vec::new(),
        }
    }
}
