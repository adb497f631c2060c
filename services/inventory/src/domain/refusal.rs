//! Why a change of stock is refused, as facts of the business.

use kernel::{Business, ErrorKind, FieldError};

use super::ids::{LocationId, VariantId};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("only {available} units of {variant} are free, {wanted} were asked for")]
    NotEnough { variant: VariantId, wanted: i64, available: i64 },
    #[error(
        "{variant} would have {on_hand} units on hand while {reserved} are reserved for orders"
    )]
    BelowReserved { variant: VariantId, on_hand: i64, reserved: i64 },
    #[error(
        "{variant} has {promised} units promised beyond its stock; receive them before it is \
         counted strictly"
    )]
    Promised { variant: VariantId, promised: i64 },
    #[error("{variant} would exceed {max} units at one location", max = super::stock::MAX_UNITS)]
    TooManyUnits { variant: VariantId },
    #[error("{variant} has no stock at this location")]
    UnknownVariant { variant: VariantId, field: String },
    #[error("there is no location {location}")]
    UnknownLocation { location: LocationId, field: String },
    #[error("there is no such location")]
    LocationNotFound,
    #[error("the location has been changed since it was read")]
    LocationChanged,
    #[error("the default location holds every variant's policy: it cannot be {verb}")]
    DefaultLocation { verb: &'static str },
    #[error("stock has been booked at this location: deactivate it instead")]
    LocationInUse,
    #[error("a shop has at most {max} locations", max = super::location::MAX_LOCATIONS)]
    TooManyLocations,
    /// A defect: more units were given back than were held.
    #[error("the books of {variant} do not balance: {units} units of {reserved} reserved")]
    Unbalanced { variant: VariantId, units: i64, reserved: i64 },
}

impl Business for Refusal {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotEnough { .. }
            | Self::BelowReserved { .. }
            | Self::Promised { .. }
            | Self::DefaultLocation { .. }
            | Self::LocationInUse
            | Self::TooManyLocations => ErrorKind::Conflict,
            Self::TooManyUnits { .. }
            | Self::UnknownVariant { .. }
            | Self::UnknownLocation { .. } => ErrorKind::Unprocessable,
            Self::LocationNotFound => ErrorKind::NotFound,
            Self::LocationChanged => ErrorKind::PreconditionFailed,
            Self::Unbalanced { .. } => ErrorKind::Internal,
        }
    }

    fn slug(&self) -> &'static str {
        match self {
            Self::NotEnough { .. } => "not-enough-stock",
            Self::BelowReserved { .. } => "below-reserved",
            Self::Promised { .. } => "promised-beyond-stock",
            Self::TooManyUnits { .. } => "too-many-units",
            Self::UnknownVariant { .. } => "unknown-variant",
            Self::UnknownLocation { .. } => "unknown-location",
            Self::LocationNotFound => "not-found",
            Self::LocationChanged => "location-changed",
            Self::DefaultLocation { .. } => "default-location",
            Self::LocationInUse => "location-in-use",
            Self::TooManyLocations => "too-many-locations",
            Self::Unbalanced { .. } => "internal",
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::UnknownVariant { field, .. } | Self::UnknownLocation { field, .. } => {
                vec![FieldError::new(field.clone(), self.to_string())]
            }
            _ => Vec::new(),
        }
    }
}
