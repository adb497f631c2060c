//! What can go wrong in a use case.

use kernel::{Business, ErrorKind, FieldError};
use platform::store::StoreError;

use crate::domain::Fault;
use crate::domain::import::rows::FileError;
use crate::ports::StockError;

/// Permissions of inventory that files need as well.
pub const SET_STOCK: &str = "inventory:write";
pub const SEE_STOCK: &str = "inventory:read";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such product")]
    NoProduct,
    #[error("there is no such category")]
    NoCategory,
    #[error("some fields break the rules of the catalog")]
    Invalid(Vec<Fault>),
    #[error("it was changed meanwhile: read it again")]
    Changed,
    #[error("another product or category has this handle")]
    HandleTaken,
    #[error("the category has categories below it: move or delete them first")]
    HasChildren,
    #[error("a shop has at most 10000 categories")]
    TooManyCategories,
    #[error("the file cannot be imported: {0}")]
    File(#[from] FileError),
    #[error(
        "the file sets stock, which needs the permission {SET_STOCK}; stock=false leaves its stock \
         columns aside"
    )]
    MayNotSetStock,
    #[error(
        "the export tells stock, which needs the permission {SEE_STOCK}; stock=false leaves its \
         stock cells empty"
    )]
    MayNotSeeStock,
    #[error("stock is not available: {0}")]
    Stock(#[from] StockError),
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unique { column, .. } if column == "handle" => Self::HandleTaken,
            other => Self::Store(other),
        }
    }
}

impl Error {
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault::new(field, message)])
    }
}

impl Business for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoProduct | Self::NoCategory => ErrorKind::NotFound,
            Self::Invalid(_) | Self::File(_) => ErrorKind::Invalid,
            Self::Changed => ErrorKind::PreconditionFailed,
            Self::HandleTaken | Self::HasChildren | Self::TooManyCategories => ErrorKind::Conflict,
            Self::MayNotSetStock | Self::MayNotSeeStock => ErrorKind::Forbidden,
            Self::Stock(_) => ErrorKind::Unavailable,
            Self::Store(error) => error.kind(),
        }
    }

    fn slug(&self) -> &'static str {
        match self {
            Self::NoProduct => "product-not-found",
            Self::NoCategory => "category-not-found",
            Self::Invalid(_) => "invalid-product",
            Self::Changed => "version-mismatch",
            Self::HandleTaken => "handle-taken",
            Self::HasChildren => "category-has-children",
            Self::TooManyCategories => "too-many-categories",
            Self::File(_) => "unreadable-file",
            Self::MayNotSetStock | Self::MayNotSeeStock => "forbidden",
            Self::Stock(_) => "stock-unavailable",
            Self::Store(error) => error.slug(),
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(faults) => faults.iter().cloned().map(FieldError::from).collect(),
            Self::File(error) => vec![FieldError::new("body", error.to_string())],
            Self::HandleTaken => vec![FieldError::new("handle", "is taken")],
            Self::Store(error) => error.fields(),
            _ => Vec::new(),
        }
    }
}
