//! Identity alone, as a process. `identity --help` tells how.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    platform::process::main::<identity::Process>()
}
