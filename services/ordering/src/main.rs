//! Ordering alone, as a process. `ordering --help` tells how.

use std::process::ExitCode;

fn main() -> ExitCode {
    platform::process::main::<ordering::Process>()
}
