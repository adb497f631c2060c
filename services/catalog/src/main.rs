//! Catalog alone, as a process. `catalog --help` tells how.

use std::process::ExitCode;

fn main() -> ExitCode {
    platform::process::main::<catalog::Process>()
}
