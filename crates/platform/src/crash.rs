//! Crash points: places where a test may kill this process.
//!
//! `MERCAT_CRASH_AT=<name>` makes the process end itself with SIGKILL when it passes the point of
//! that name; `MERCAT_CRASH_AT=<name>:3` on the third pass. Nothing is flushed or closed: that is
//! the purpose.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

struct Armed {
    name: String,
    passes_left: AtomicU64,
}

static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

/// Does nothing, unless this point was named in the environment when the process started.
pub fn point(name: &'static str) {
    let armed = ARMED.get_or_init(|| {
        let value = std::env::var("MERCAT_CRASH_AT").ok()?;
        let (name, passes) = match value.rsplit_once(':') {
            Some((name, passes)) => (name, passes.parse().ok()?),
            None => (value.as_str(), 1),
        };
        Some(Armed { name: name.to_owned(), passes_left: AtomicU64::new(passes) })
    });
    let Some(armed) = armed else { return };
    if armed.name == name && armed.passes_left.fetch_sub(1, Ordering::SeqCst) == 1 {
        kill_this_process();
    }
}

/// SIGKILL through `kill(1)`, because `unsafe` is forbidden here; what follows never runs.
fn kill_this_process() -> ! {
    let id = std::process::id().to_string();
    let _ = std::process::Command::new("kill").args(["-KILL", &id]).status();
    std::process::abort();
}
