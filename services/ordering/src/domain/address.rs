//! Where goods go, as far as price and tax depend on it.

use kernel::{Address, FieldError};

use super::pricing::Destination;
use super::refusal::Refusal;

/// The fields of `address` that break a rule, as one refusal.
pub fn checked(address: Option<&Address>, field: &str) -> Result<(), Refusal> {
    let errors: Vec<FieldError> = address.map(|a| a.check(field)).unwrap_or_default();
    if errors.is_empty() { Ok(()) } else { Err(Refusal::Fields(errors)) }
}

pub fn destination(address: &Address) -> Destination {
    Destination { country: address.country, region: address.region.clone() }
}
