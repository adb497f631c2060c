//! Rules of texts and options that several bodies share.

use serde::{Deserialize, Deserializer};

use crate::application::update_me::Change;
use crate::domain::{Password, password};

/// Printable characters only.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde hands its context over so")]
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
#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde hands its context over so")]
pub(super) fn typed_password(password: &Password, _: &()) -> garde::Result {
    if (1..=password::MAX_CHARS).contains(&password.chars()) {
        Ok(())
    } else {
        Err(garde::Error::new("has 1 to 128 characters"))
    }
}

/// A field that is there: null removes, a value sets. One that is absent is [`Change::Keep`].
pub(super) fn change<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    d: D,
) -> Result<Change<T>, D::Error> {
    Ok(Option::<T>::deserialize(d)?.map_or(Change::Remove, Change::Set))
}
