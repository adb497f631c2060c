//! What the command line says: results to standard output, everything else to standard error.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// One line of a result. A reader that went away (`mercat … | head`) is no failure.
pub fn line(text: impl Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A part of a result as it is.
pub fn raw(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// One line beside the result.
pub fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Says what failed and ends with 1.
pub fn failure(text: &str) -> ExitCode {
    note(format_args!("mercat: {text}"));
    ExitCode::FAILURE
}
