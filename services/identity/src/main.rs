//! Identity alone, as a process. `identity --help` tells how.

use std::process::ExitCode;

fn main() -> ExitCode {
    platform::process::main::<identity::Process>()
}
