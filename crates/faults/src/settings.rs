//! What a run was told.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use testkit::servers::told;

/// Of the whole run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `mercat` binary, built with everything.
    pub program: PathBuf,
    /// Whose `target/services` holds the servers.
    pub project: PathBuf,
    /// A few minutes in all, no judgement by time.
    pub is_short: bool,
    /// How long each row goes on that goes on for a time.
    pub each: Duration,
    /// The mistake that the shop makes on purpose, if any: then the books have to tell.
    pub bug: Option<String>,
}

impl Settings {
    /// `short` in a short run, else `long`.
    pub fn pick<T>(&self, short: T, long: T) -> T {
        if self.is_short { short } else { long }
    }

    /// Whether the program can make mistakes on purpose: no build with optimizations can.
    pub fn has_bugs(&self) -> bool {
        !self.is_release()
    }

    pub fn is_release(&self) -> bool {
        self.program.components().any(|part| part.as_os_str() == "release")
    }

    /// Stops, starts or restarts a server of the tests, which keeps its port and its data.
    pub async fn server(&self, verb: &str, name: &str, more: &[&str]) -> Result<(), String> {
        let tool = told("MERCAT_TEST_XTASK").ok_or("`cargo xtask services up` was not run")?;
        let mut command = Command::new(tool);
        command.args(["services", verb, name]).args(more).current_dir(&self.project);
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = output.map_err(|error| error.to_string())?;
        let output = output.map_err(|error| format!("xtask cannot be run: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("services {verb} {name}: {said}"))
    }
}
