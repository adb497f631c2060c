//! Inventory alone, as a process. `inventory --help` tells how.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    platform::process::main::<inventory::Process>()
}
