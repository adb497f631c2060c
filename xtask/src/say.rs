//! The only place of this crate that prints. Results go to standard output, failures to standard
//! error; nothing is coloured, so that a log file reads like the terminal did.

use std::{io::Write as _, time::Instant};

/// A reader that went away (`| head`) is no reason to stop the work.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

pub fn failure(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "xtask: {text}");
}

/// Something that did not stop the run but must not be overlooked.
pub fn warning(text: &str) {
    line(&format!("\n*** WARNING: {text}\n"));
}

/// Announces a phase, does it, and says how long it took and whether it went well.
#[expect(clippy::disallowed_methods, reason = "a tool has no ports; the time is only printed")]
pub fn phase<T>(name: &str, work: impl FnOnce() -> crate::Outcome<T>) -> crate::Outcome<T> {
    line(&format!("\n==> {name}"));
    let start = Instant::now();
    let outcome = work();
    let seconds = start.elapsed().as_secs_f64();
    let verdict = if outcome.is_ok() { "done" } else { "FAILED" };
    line(&format!("<== {name}: {verdict} in {seconds:.1} s"));
    outcome
}
