//! What can go wrong in a use case.

use kernel::{Business, ErrorKind, FieldError};
use platform::store::StoreError;

use crate::domain::Rejection;
use crate::ports::DeliveryError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    #[error("this shop has no payment provider of that name")]
    UnknownProvider,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Business for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Rejected(rejection) => rejection.kind(),
            Self::Delivery(DeliveryError::NotGenuine(_)) => ErrorKind::Unauthenticated,
            Self::Delivery(DeliveryError::Malformed(_)) => ErrorKind::Invalid,
            Self::UnknownProvider => ErrorKind::NotFound,
            Self::Store(error) => error.kind(),
        }
    }

    fn slug(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.slug(),
            Self::Delivery(DeliveryError::NotGenuine(_)) => "notification-not-genuine",
            Self::Delivery(DeliveryError::Malformed(_)) => "notification-malformed",
            Self::UnknownProvider => "provider-not-found",
            Self::Store(error) => error.slug(),
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Rejected(rejection) => rejection.fields(),
            Self::Store(error) => error.fields(),
            _ => Vec::new(),
        }
    }
}
