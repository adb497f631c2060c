//! Payment alone, as a process. `payment --help` tells how.

use std::process::ExitCode;

fn main() -> ExitCode {
    platform::process::main::<payment::Process>()
}
