//! `cargo xtask services …`: the servers that tests need, on a machine without Docker.
//!
//! Each server listens on a free port of the loopback interface, keeps its data below
//! `target/services`, and is stopped by the process id that it was started with, never by its name.
//! Where they answer stands in `target/services/env`, one `NAME=value` a line; whoever runs tests
//! without this tool finds them there. A server that is stopped and started again keeps its port
//! and its data, so that a test may take it away and give it back.

mod daemon;
mod kafka;
pub mod packages;
mod postgres;
mod rabbitmq;
mod redis;

use std::{
    fs::{self, File},
    path::PathBuf,
    thread,
};

use crate::{Outcome, project::Project, say};

/// A port that was free a moment ago may be taken, if only by a program that was being started beside
/// the question and had inherited it.
const TRIES: u32 = 3;
const FOLDER: &str = "target/services";
const ENVIRONMENT: &str = "target/services/env";
/// The program that starts and stops a server while tests run: this one.
const TOOL: &str = "MERCAT_TEST_XTASK";

/// How a server is stopped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It is asked, and finishes what it does.
    Orderly,
    /// As a crash would: it finishes nothing.
    Immediate,
}

/// A server of one kind, with its own folder.
trait Server: Sync {
    /// Answers when it takes requests; `true` when it did not run before.
    fn start(&self) -> Outcome<bool>;
    /// Answers when its process is gone. The data stays.
    fn stop(&self, how: Stop) -> Outcome;
    /// Forgets what it holds, when it does not run. Tests leave topics and queues behind, which
    /// would make each start slower than the one before; databases they take away themselves.
    fn forget(&self) -> Outcome {
        Ok(())
    }
    /// Where it listens, if it runs.
    fn port(&self) -> Option<u16>;
    /// What tests are told of it, whether it runs just now or not.
    fn address(&self) -> Option<String>;
}

type Installed = fn(&Project) -> Outcome<Option<Box<dyn Server>>>;
type Install = fn(&Project) -> Outcome<Box<dyn Server>>;

#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    title: &'static str,
    /// The environment variable that holds its address.
    variable: &'static str,
    /// `None` when this machine does not have it.
    installed: Installed,
    /// Brings it here when it is missing.
    install: Install,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "postgres",
        title: "PostgreSQL",
        variable: "MERCAT_TEST_POSTGRES",
        installed: postgres::Postgres::boxed,
        install: postgres::Postgres::install,
    },
    Kind {
        name: "kafka",
        title: "Kafka",
        variable: "MERCAT_TEST_KAFKA",
        installed: kafka::Kafka::installed,
        install: kafka::Kafka::install,
    },
    Kind {
        name: "rabbitmq",
        title: "RabbitMQ",
        variable: "MERCAT_TEST_RABBITMQ",
        installed: rabbitmq::RabbitMq::installed,
        install: rabbitmq::RabbitMq::install,
    },
    Kind {
        name: "redis",
        title: "Redis",
        variable: "MERCAT_TEST_REDIS",
        installed: redis::Redis::installed,
        install: redis::Redis::install,
    },
];

/// Servers that run for the time of a test run.
pub struct Held {
    /// What tests are told: names and values of environment variables.
    pub environment: Vec<(String, String)>,
    /// What could not be had, each with the reason.
    pub missing: Vec<String>,
    /// The names of those that were started for this run. Others stay up after it.
    started: Vec<&'static str>,
}

/// Starts what does not run. Twice is once.
pub fn up(project: &Project) -> Outcome {
    let held = hold(project)?;
    for (name, value) in &held.environment {
        say::line(&format!("{name}={value}"));
    }
    if held.missing.is_empty() { Ok(()) } else { Err(held.missing.join("\n")) }
}

/// Stops what [`up`] started. Nothing to stop is fine.
pub fn down(project: &Project) -> Outcome {
    let _alone = lock(project)?;
    let path = project.path(ENVIRONMENT);
    if path.exists() {
        fs::remove_file(path).map_err(|error| format!("cannot remove {ENVIRONMENT}: {error}"))?;
    }
    stop_all(project, &KINDS.map(|kind| kind.name))
}

pub fn status(project: &Project) -> Outcome {
    for kind in &KINDS {
        let told = match (kind.installed)(project)? {
            None => "not installed".to_owned(),
            Some(server) => server
                .port()
                .map_or_else(|| "down".to_owned(), |port| format!("up on 127.0.0.1:{port}")),
        };
        say::line(&format!("{:<11} {told}", kind.title));
    }
    Ok(())
}

/// Starts one server, on the port that it had.
pub fn start(project: &Project, name: &str) -> Outcome {
    let _alone = lock(project)?;
    begin(&*(find(name)?.install)(project)?)?;
    remember(project).map(drop)
}

/// Stops one server, which keeps its port and its data.
pub fn stop(project: &Project, name: &str, how: Stop) -> Outcome {
    let _alone = lock(project)?;
    (find(name)?.installed)(project)?.map_or(Ok(()), |server| server.stop(how))
}

pub fn restart(project: &Project, name: &str, how: Stop) -> Outcome {
    stop(project, name, how)?;
    start(project, name)
}

/// Starts what does not run, for [`release`] to stop again.
pub fn hold(project: &Project) -> Outcome<Held> {
    let _alone = lock(project)?;
    // One after the other: the system's package manager serves one at a time.
    let servers = KINDS.map(|kind| (kind, (kind.install)(project)));
    let outcomes = thread::scope(|scope| {
        let started = servers.each_ref().map(|(kind, server)| {
            let start = || match server {
                Ok(server) => begin(&**server),
                Err(error) => Err(error.clone()),
            };
            (kind, scope.spawn(start))
        });
        started.map(|(kind, thread)| {
            (kind, thread.join().unwrap_or_else(|_| Err("starting it panicked".to_owned())))
        })
    });
    let mut held = Held { environment: remember(project)?, missing: Vec::new(), started: vec![] };
    for (kind, outcome) in outcomes {
        match outcome {
            Ok(true) => held.started.push(kind.name),
            Ok(false) => {}
            Err(error) => {
                held.environment.retain(|(variable, _)| variable != kind.variable);
                held.missing.push(format!("{}: {error}", kind.title));
            }
        }
    }
    Ok(held)
}

/// Starts the server; what did not come up is taken down and tried again, on other ports where its
/// own are taken. Answers as [`Server::start`] does.
fn begin(server: &dyn Server) -> Outcome<bool> {
    let mut tried = 1;
    loop {
        match server.start() {
            Err(_) if tried < TRIES => server.stop(Stop::Immediate)?,
            outcome => return outcome,
        }
        tried += 1;
    }
}

/// Stops what was started for the run; what ran before it goes on.
pub fn release(project: &Project, held: &Held) -> Outcome {
    if held.started.len() == KINDS.len() {
        return down(project);
    }
    let _alone = lock(project)?;
    stop_all(project, &held.started)
}

fn stop_all(project: &Project, names: &[&str]) -> Outcome {
    let mut failed = Vec::new();
    for kind in KINDS.iter().filter(|kind| names.contains(&kind.name)) {
        let stopped = (kind.installed)(project).and_then(|server| match server {
            None => Ok(()),
            Some(server) => server.stop(Stop::Orderly).and_then(|()| server.forget()),
        });
        if let Err(error) = stopped {
            failed.push(format!("{}: {error}", kind.title));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

fn find(name: &str) -> Outcome<Kind> {
    KINDS.into_iter().find(|kind| kind.name == name).ok_or_else(|| {
        let known = KINDS.map(|kind| kind.name).join(", ");
        format!("`{name}` is no server of the tests: they are {known}")
    })
}

/// Writes down where every server answers that has ever been started here.
fn remember(project: &Project) -> Outcome<Vec<(String, String)>> {
    let mut environment = Vec::new();
    for kind in &KINDS {
        if let Some(address) = (kind.installed)(project)?.and_then(|server| server.address()) {
            environment.push((kind.variable.to_owned(), address));
        }
    }
    let tool = std::env::current_exe().map_err(|error| format!("this program: {error}"))?;
    environment.push((TOOL.to_owned(), tool.display().to_string()));
    let lines = environment.iter();
    let text: String = lines.flat_map(|(name, value)| [name, "=", value, "\n"]).collect();
    // It holds passwords.
    daemon::write_private(&project.path(ENVIRONMENT), &text)?;
    Ok(environment)
}

/// Two runs at once must not both make the same server.
fn lock(project: &Project) -> Outcome<File> {
    let path = project.path(FOLDER).join("lock");
    crate::project::write(&path, b"")?;
    let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    file.lock().map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(file)
}

fn remove(folder: &std::path::Path) -> Outcome {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// The folder of one server, by its one name: a process is known by it.
fn home(project: &Project, name: &str) -> Outcome<PathBuf> {
    let home = project.path(FOLDER).join(name);
    fs::create_dir_all(&home)
        .and_then(|()| fs::canonicalize(&home))
        .map_err(|error| format!("{}: {error}", home.display()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use super::*;

    /// Fails so many times before it starts.
    struct Reluctant {
        failures: u32,
        starts: AtomicU32,
        stops: AtomicU32,
    }

    impl Server for Reluctant {
        fn start(&self) -> Outcome<bool> {
            let before = self.starts.fetch_add(1, SeqCst);
            if before < self.failures { Err(format!("failure {before}")) } else { Ok(true) }
        }

        fn stop(&self, how: Stop) -> Outcome {
            assert!(how == Stop::Immediate);
            self.stops.fetch_add(1, SeqCst);
            Ok(())
        }

        fn port(&self) -> Option<u16> {
            None
        }

        fn address(&self) -> Option<String> {
            None
        }
    }

    fn reluctant(failures: u32) -> Reluctant {
        Reluctant { failures, starts: AtomicU32::new(0), stops: AtomicU32::new(0) }
    }

    #[test]
    fn a_server_that_did_not_come_up_is_taken_down_and_tried_again() {
        let server = reluctant(TRIES - 1);
        assert_eq!(begin(&server), Ok(true));
        assert_eq!(server.stops.into_inner(), TRIES - 1);
    }

    #[test]
    fn a_server_that_never_comes_up_tells_why() {
        let server = reluctant(u32::MAX);
        assert_eq!(begin(&server), Err(format!("failure {}", TRIES - 1)));
        assert_eq!(server.starts.into_inner(), TRIES);
    }
}
