//! Inventory alone, as a process. `inventory --help` tells how.

use std::process::ExitCode;

fn main() -> ExitCode {
    platform::process::main::<inventory::Process>()
}
