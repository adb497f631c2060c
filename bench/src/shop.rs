//! A shop as a child process, in a folder that goes away with it.

use std::collections::BTreeMap;
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
use crate::measure::proc::{self, Memory};
use crate::servers::Servers;
use crate::{Outcome, clock};

const START: Duration = Duration::from_mins(2);
const STOP: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(1);
const LOG_TAIL: usize = 4000;

/// The name of the process that is the whole shop.
pub const ALL_IN_ONE: &str = "shop";
/// And of the one that only looks after the others.
pub const SUPERVISOR: &str = "mercat up";

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
    /// One for each service, where they have processes of their own.
    pub processes: Vec<Process>,
    servers: Option<Servers>,
    child: Child,
}

/// A service's process.
#[derive(Clone, Debug, Deserialize)]
pub struct Process {
    pub service: String,
    nth: u32,
    pub pid: u32,
    internal: String,
}

#[derive(Deserialize)]
struct Run {
    shop: String,
    internal: String,
    pid: u32,
    ready_ms: u64,
    #[serde(default)]
    processes: Vec<Process>,
}

impl Shop {
    pub fn start(home: &Home, topology: Topology, demo: bool) -> Outcome<Self> {
        let servers = topology.has_processes().then(|| Servers::of(topology)).transpose()?;
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
        let settings = servers.iter().flat_map(Servers::settings).collect::<Vec<_>>();
        arguments.extend(settings.iter().flat_map(|setting| ["--set", setting.as_str()]));
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
            let is_ready = match &servers {
                None => is_ready(internal),
                // It tells where its processes are when all of them are ready.
                Some(_) => run_file.exists(),
            };
            if start.is_none() && is_ready {
                start = Some(began.elapsed());
            }
            if let (Some(start), Some(run)) = (start, read_run(&run_file, child.id())) {
                let (address, internal) = (at(&run.shop)?, at(&run.internal)?);
                let Run { pid, ready_ms, processes, .. } = run;
                return Ok(Self {
                    pid,
                    address,
                    internal,
                    start,
                    ready_ms,
                    processes,
                    servers,
                    child,
                });
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

    /// To `/metrics` of every process.
    pub fn internals(&self) -> Vec<Connection> {
        let of_processes = self.processes.iter().filter_map(|process| at(&process.internal).ok());
        let mut addresses: Vec<SocketAddr> = of_processes.collect();
        if addresses.is_empty() {
            addresses.push(self.internal);
        }
        addresses.into_iter().map(Connection::new).collect()
    }

    /// Its own processes by name, the one that was started last.
    fn own(&self) -> Vec<(String, u32)> {
        let mut own: Vec<_> = self.processes.iter().map(|p| (p.service.clone(), p.pid)).collect();
        let rest = if own.is_empty() { ALL_IN_ONE } else { SUPERVISOR };
        own.push((rest.to_owned(), self.pid));
        own
    }

    /// Its own processes and those of its servers; a name may be there several times.
    pub fn parts(&self) -> Vec<(String, u32)> {
        let mut parts = self.own();
        parts.extend(self.servers.iter().flat_map(Servers::processes));
        parts
    }

    /// Of its own processes together; `None` when the first one is gone.
    pub fn cpu(&self) -> Option<Duration> {
        let first = proc::cpu_of(self.pid)?;
        let others = self.processes.iter().filter_map(|process| proc::cpu_of(process.pid));
        Some(first + others.sum::<Duration>())
    }

    /// RSS in KiB of its own processes, PSS of its servers, whose processes share most of theirs.
    pub fn memory_by_part(&self) -> BTreeMap<String, u64> {
        let mut by_part = BTreeMap::new();
        for (part, pid) in self.own() {
            *by_part.entry(part).or_default() += Memory::of(pid).map_or(0, |m| m.rss_kib);
        }
        for (part, pid) in self.servers.iter().flat_map(Servers::processes) {
            *by_part.entry(part).or_default() += Memory::of(pid).map_or(0, |m| m.pss_kib);
        }
        by_part
    }

    /// How long each service's process took to say that it is ready, in the log; to be asked for
    /// while the first ones still run.
    pub fn starts(&self, home: &Home) -> BTreeMap<String, Duration> {
        let log = std::fs::read_to_string(home.path("stderr")).unwrap_or_default();
        let said = log + &home.printed();
        let took = |process: &Process| {
            let begun = clock::of_day() - proc::age_of(process.pid)?.as_secs_f64();
            let name = format!("{}-{} ", process.service, process.nth);
            let ready = format!("{} is ready", process.service);
            let line = said.lines().find(|l| l.starts_with(&name) && l.contains(&ready))?;
            let told = line.split_whitespace().find_map(time_of_day)?;
            let took = Duration::from_secs_f64((told - begun).rem_euclid(86_400.0));
            Some((process.service.clone(), took))
        };
        self.processes.iter().filter_map(took).collect()
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

fn at(url: &str) -> Outcome<SocketAddr> {
    let address = url.trim_start_matches("http://").parse();
    address.map_err(|_| format!("run.json names {url}"))
}

/// Seconds since midnight of `2026-11-23T07:30:15.250000Z`.
fn time_of_day(text: &str) -> Option<f64> {
    let (_, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut fields = time.split(':');
    let (hours, minutes, seconds) = (fields.next()?, fields.next()?, fields.next()?);
    let whole: u32 = hours.parse::<u32>().ok()? * 3600 + minutes.parse::<u32>().ok()? * 60;
    Some(f64::from(whole) + seconds.parse::<f64>().ok()?)
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

#[cfg(test)]
mod tests {
    use super::time_of_day;

    #[test]
    fn the_time_of_a_log_line_is_read() {
        let read = time_of_day("2026-11-23T07:30:15.250000Z").unwrap();
        assert!((read - 27_015.25).abs() < 1e-6, "{read}");
        for other in ["INFO", "T:Z", "2026-11-23", "12:30:15Z"] {
            assert_eq!(time_of_day(other), None, "{other}");
        }
    }
}
