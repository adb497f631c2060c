//! How many units of something a line holds.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A number of units between 1 and [`Quantity::MAX`]; it cannot be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Quantity(NonZeroU32);

impl Quantity {
    pub const MAX: u32 = 9_999;
    pub const ONE: Self = Self(NonZeroU32::MIN);

    pub fn new(units: u32) -> Option<Self> {
        if units > Self::MAX { None } else { NonZeroU32::new(units).map(Self) }
    }

    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The sum, unless it is over [`Quantity::MAX`].
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::new(self.get() + other.get())
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let units = i64::deserialize(d)?;
        u32::try_from(units).ok().and_then(Self::new).ok_or_else(|| {
            de::Error::custom(format_args!("a quantity is 1 to {}, not {units}", Self::MAX))
        })
    }
}

impl PartialSchema for Quantity {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(Self::MAX))
            .examples([2])
            .into()
    }
}
impl ToSchema for Quantity {}
