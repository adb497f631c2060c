//! A shop as a child process, in a folder that goes away with it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;

use crate::cli::Topology;
use crate::client::Connection;
use crate::measure::proc::Memory;
use crate::{Outcome, clock};

const START: Duration = Duration::from_mins(2);
const STOP: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(1);
const LOG_TAIL: usize = 4000;

/// Where a shop keeps its data, over several starts.
pub struct Home {
    mercat: PathBuf,
    settings: Vec<String>,
    folder: TempDir,
}

/// What a command of the program did.
pub struct Ran {
    pub took: Duration,
    /// The most memory that it had, as far as somebody looked in time.
    pub peak_kib: u64,
}

impl Home {
    pub fn new(mercat: &Path, folder: &Path, settings: &[String]) -> Outcome<Self> {
        let fresh = tempfile::Builder::new().prefix("mercat-bench-").tempdir_in(folder);
        let folder = fresh.map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self { mercat: mercat.to_owned(), settings: settings.to_vec(), folder })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// How many bytes the databases have.
    pub fn data_bytes(&self) -> u64 {
        let files = std::fs::read_dir(self.data()).into_iter().flatten().flatten();
        files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
    }

    /// All that its processes printed.
    pub fn printed(&self) -> String {
        std::fs::read_to_string(self.path("stdout")).unwrap_or_default()
    }

    fn command(&self, arguments: &[&str]) -> Outcome<Command> {
        let open = |name: &str| {
            let file = File::options().create(true).append(true).open(self.path(name));
            file.map_err(|error| format!("{name}: {error}"))
        };
        let mut command = Command::new(&self.mercat);
        command.args(arguments).current_dir(self.folder.path());
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        command.stdin(Stdio::null()).stdout(open("stdout")?).stderr(open("stderr")?);
        Ok(command)
    }

    fn spawn(&self, mut command: Command) -> Outcome<Child> {
        command.spawn().map_err(|error| format!("{}: {error}", self.mercat.display()))
    }

    /// Runs another command of the program to its end; it must succeed.
    pub fn run(&self, arguments: &[&str]) -> Outcome<Ran> {
        let mut peak_kib = 0;
        let command = self.command(arguments)?;
        let began = clock::now();
        let mut child = self.spawn(command)?;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) => {}
                Err(error) => return Err(format!("mercat: {error}")),
            }
            peak_kib = Memory::of(child.id()).map_or(peak_kib, |memory| memory.peak_kib);
            std::thread::sleep(POLL * 5);
        };
        let took = began.elapsed();
        if status.success() {
            return Ok(Ran { took, peak_kib });
        }
        Err(format!("mercat {}: {status}\n{}\n{}", arguments.join(" "), self.printed(), self.log()))
    }

    /// The end of what its processes logged.
    pub fn log(&self) -> String {
        let log = std::fs::read(self.path("stderr")).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_TAIL)..]).into_owned()
    }
}

/// A running shop. Dropping it kills the process.
pub struct Shop {
    pub pid: u32,
    pub address: SocketAddr,
    pub internal: SocketAddr,
    /// From before the process was made to the first 200 of `/readyz`.
    pub start: Duration,
    /// As the shop itself measured.
    pub ready_ms: u64,
    child: Child,
}

#[derive(Deserialize)]
struct Run {
    shop: String,
    pid: u32,
    ready_ms: u64,
}

impl Shop {
    pub fn start(home: &Home, topology: Topology, demo: bool) -> Outcome<Self> {
        let run_file = home.data().join("run.json");
        let _ = std::fs::remove_file(&run_file);
        let internal = free_address()?;
        let data = home.data().display().to_string();
        let listen = format!("telemetry.internal_listen={internal}");
        let mut arguments = vec!["up", "--data", &data, "--listen", "127.0.0.1:0"];
        arguments.extend(["--topology", topology.name(), "--set", &listen]);
        if demo {
            arguments.push("--demo");
        }
        let command = home.command(&arguments)?;
        let began = clock::now();
        let mut child = home.spawn(command)?;
        let mut start = None;
        while began.elapsed() < START {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!(
                    "the shop ended ({status}) before it was ready:\n{}",
                    home.log()
                ));
            }
            if start.is_none() && is_ready(internal) {
                start = Some(began.elapsed());
            }
            if let (Some(start), Some(run)) = (start, read_run(&run_file, child.id())) {
                let address = run.shop.trim_start_matches("http://").parse();
                let address = address.map_err(|_| format!("run.json names {}", run.shop))?;
                let (pid, ready_ms) = (run.pid, run.ready_ms);
                return Ok(Self { pid, address, internal, start, ready_ms, child });
            }
            std::thread::sleep(POLL);
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(format!("the shop was not ready in time:\n{}", home.log()))
    }

    pub fn connect(&self) -> Connection {
        Connection::new(self.address)
    }

    pub fn memory(&self) -> Outcome<Memory> {
        Memory::of(self.pid).ok_or_else(|| "the shop is gone".to_owned())
    }

    /// Asks it to stop and waits for the end. Answers how long that took.
    pub fn stop(mut self) -> Outcome<Duration> {
        let began = clock::now();
        let pid = self.pid.to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        sent.map_err(|error| format!("kill: {error}"))?;
        while began.elapsed() < STOP {
            if let Ok(Some(_)) = self.child.try_wait() {
                return Ok(began.elapsed());
            }
            std::thread::sleep(POLL);
        }
        Err("the shop did not stop in time".to_owned())
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // Both fail only when it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Free a moment ago: whoever takes it first gets it, and a shop that does not is an error.
fn free_address() -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0");
    let address = listener.and_then(|listener| listener.local_addr());
    address.map_err(|error| format!("no free port: {error}"))
}

fn is_ready(internal: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&internal, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status == *b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

fn read_run(path: &Path, pid: u32) -> Option<Run> {
    let run: Run = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    (run.pid == pid).then_some(run)
}
