//! Where the servers are that tests need: PostgreSQL, Kafka, RabbitMQ.

use std::io::Write as _;
use std::path::Path;

pub const POSTGRES: &str = "MERCAT_TEST_POSTGRES";
pub const KAFKA: &str = "MERCAT_TEST_KAFKA";
pub const RABBITMQ: &str = "MERCAT_TEST_RABBITMQ";

/// What `cargo xtask services up` wrote, from the root of the workspace.
const FILE: &str = "target/services/env";

/// The address that the variable `name` holds: `cargo xtask test` sets it, `cargo xtask services up`
/// leaves it in a file.
pub fn told(name: &str) -> Option<String> {
    std::env::var(name).ok().or_else(|| {
        // A test runs in the folder of its package.
        let here = std::env::current_dir().ok()?;
        let text = here.ancestors().find_map(written)?;
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.map(str::to_owned)
    })
}

fn written(folder: &Path) -> Option<String> {
    std::fs::read_to_string(folder.join(FILE)).ok()
}

/// All of them, or nothing and a loud word that the test is skipped. In CI they have to be there.
pub fn told_or_skipped<const N: usize>(names: [&str; N]) -> Option<[String; N]> {
    let found = names.map(|name| (name, told(name)));
    let missing = found.iter().filter(|(_, address)| address.is_none());
    let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Some(found.map(|(_, address)| address.unwrap_or_default()));
    }
    let missing = format!("no {}: run `cargo xtask services up`", missing.join(", "));
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    // Past the capture of the test runner, so that it is seen.
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    let _ = writeln!(std::io::stderr(), "*** SKIPPED {test}: {missing}");
    None
}
