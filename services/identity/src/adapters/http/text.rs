//! Rules of texts and options that several bodies share.

use serde::{Deserialize, Deserializer};

use crate::domain::{Password, password};

/// Printable characters only.
pub(super) fn one_line(text: &str, _: &()) -> garde::Result {
    if text.chars().any(char::is_control) {
        return Err(garde::Error::new("must not contain control characters"));
    }
    if text.trim().is_empty() {
        return Err(garde::Error::new("must not be blank"));
    }
    Ok(())
}

/// A password that is typed in: not empty and not endless. Whether a new one is good enough is
/// decided by the domain.
pub(super) fn typed_password(password: &Password, _: &()) -> garde::Result {
    if (1..=password::MAX_CHARS).contains(&password.chars()) {
        Ok(())
    } else {
        Err(garde::Error::new("has 1 to 128 characters"))
    }
}

/// Tells a field that is absent (`None`) from one that is null (`Some(None)`).
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    d: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}
