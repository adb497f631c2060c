//! What is told on the terminal.

use std::fmt::Display;
use std::io::Write as _;

/// One line; nobody reads it any more if that fails.
pub fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
