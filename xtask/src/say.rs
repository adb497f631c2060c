//! The only place of this crate that prints. Results go to standard output, failures to standard
//! error; nothing is coloured, so that a log file reads like the terminal did.

use std::time::Duration;

#[expect(
    clippy::print_stdout,
    reason = "this is the output module of a command-line tool"
)]
pub fn line(text: &str) {
    println!("{text}");
}

/// Announces a phase before it runs.
pub fn phase(name: &str) {
    line(&format!("\n==> {name}"));
}

/// Says how long a phase took.
pub fn took(name: &str, time: Duration) {
    line(&format!("<== {name}: {:.1} s", time.as_secs_f64()));
}

/// Something that did not stop the run but must not be overlooked.
pub fn warning(text: &str) {
    line(&format!("\n*** WARNING: {text}\n"));
}

pub fn failure(text: &str) {
    eprintln!("xtask: {text}");
}
