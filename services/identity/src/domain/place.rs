//! Where somebody signs in from.

use std::fmt;

/// A network as whoever brings the request tells it. Two requests of one place are of one client;
/// no more is known of it. Personal data: never stored, never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Place(String);

impl Place {
    pub fn new(network: String) -> Self {
        Self(network)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(…)")
    }
}
