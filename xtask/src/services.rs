//! `cargo xtask services up|down|status`: the servers that tests need, on a machine without Docker.
//!
//! Each server listens on a free port of the loopback interface, keeps its data below
//! `target/services`, and is stopped by the process id that it was started with, never by its name.
//! Where they answer stands in `target/services/env`, one `NAME=value` a line; whoever runs tests
//! without this tool finds them there.

mod postgres;

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;

use crate::{Outcome, project::Project, say};

const FOLDER: &str = "target/services";
const ENVIRONMENT: &str = "target/services/env";

/// Servers that run for the time of a test run.
pub struct Held {
    /// What tests are told: names and values of environment variables.
    pub environment: Vec<(String, String)>,
    /// Were they started for this run? Others stay up after it.
    started: bool,
}

/// Starts what does not run. Twice is once.
pub fn up(project: &Project) -> Outcome {
    let held = hold(project)?;
    for (name, value) in &held.environment {
        say::line(&format!("{name}={value}"));
    }
    Ok(())
}

/// Stops what [`up`] started; the data stays. Nothing to stop is fine.
pub fn down(project: &Project) -> Outcome {
    let _alone = lock(project)?;
    if project.path(ENVIRONMENT).exists() {
        fs::remove_file(project.path(ENVIRONMENT))
            .map_err(|error| format!("cannot remove {ENVIRONMENT}: {error}"))?;
    }
    match postgres::Server::installed(project)? {
        Some(server) => server.stop(),
        None => Ok(()),
    }
}

pub fn status(project: &Project) -> Outcome {
    let port = match postgres::Server::installed(project)? {
        Some(server) => server.port(),
        None => None,
    };
    let told = port.map_or_else(|| "down".to_owned(), |port| format!("up on 127.0.0.1:{port}"));
    say::line(&format!("PostgreSQL  {told}"));
    Ok(())
}

/// Starts what does not run, for [`release`] to stop again.
pub fn hold(project: &Project) -> Outcome<Held> {
    let _alone = lock(project)?;
    let server = postgres::Server::install(project)?;
    let started = server.start()?;
    let environment = vec![("MERCAT_TEST_POSTGRES".to_owned(), server.url()?)];
    let lines = environment.iter();
    let text: String = lines.flat_map(|(name, value)| [name, "=", value, "\n"]).collect();
    write_private(project, &text)?;
    Ok(Held { environment, started })
}

/// Stops what was started for the run; what ran before it goes on.
pub fn release(project: &Project, held: &Held) -> Outcome {
    if held.started { down(project) } else { Ok(()) }
}

/// Two runs at once must not both make the same server.
fn lock(project: &Project) -> Outcome<File> {
    let path = project.path(FOLDER).join("lock");
    crate::project::write(&path, b"")?;
    let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    file.lock().map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(file)
}

/// The file holds a password, so it is its owner's alone.
fn write_private(project: &Project, text: &str) -> Outcome {
    let path = project.path(ENVIRONMENT);
    let failed = |error| format!("cannot write {ENVIRONMENT}: {error}");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
