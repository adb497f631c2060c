//! A server process that outlives this one: started with its output in a file, known by its process
//! id and the moment it began, ended by that id alone.

use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use super::Stop;
use crate::{Outcome, project};

/// How often a server is asked whether it is ready, or gone.
const PAUSE: Duration = Duration::from_millis(100);
const PATIENCE: u32 = 900;
const PORTS: Range<u16> = 20_000..32_000;
const PORTS_TRIED: usize = 64;

/// The process whose id stands in `<home>/<name>.pid`, with its output in `<home>/<name>.log`.
pub struct Daemon<'a> {
    pub home: &'a Path,
    pub name: &'static str,
}

impl Daemon<'_> {
    /// Starts it in a process group of its own: an interrupt of the tests is not meant for it.
    pub fn start(&self, command: &mut Command) -> Outcome {
        let log = File::create(self.log())
            .map_err(|error| format!("{}: {error}", self.log().display()))?;
        let errors = log.try_clone().map_err(|error| format!("{}: {error}", self.name))?;
        command.current_dir(self.home).stdin(Stdio::null()).stdout(log).stderr(errors);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let shown = crate::tools::shown(command);
        let child = command.spawn().map_err(|error| format!("`{shown}` cannot start: {error}"))?;
        let born = born(child.id()).ok_or_else(|| self.failure("it ended at once"))?;
        project::write(&self.file(), format!("{}\n{born}\n", child.id()).as_bytes())
    }

    /// Its process id while it runs.
    pub fn process(&self) -> Option<u32> {
        let text = fs::read_to_string(self.file()).ok()?;
        let (process, begun) = text.split_once('\n')?;
        let process = process.parse().ok()?;
        (born(process)? == begun.trim_end()).then_some(process)
    }

    /// Asks until the answer is yes; a server that ended meanwhile has failed.
    pub fn wait_until(&self, ready: impl Fn() -> bool) -> Outcome {
        for _ in 0..PATIENCE {
            if ready() {
                return Ok(());
            }
            if self.process().is_none() {
                return Err(self.failure("it ended while it started"));
            }
            thread::sleep(PAUSE);
        }
        Err(self.failure("it is not ready in time"))
    }

    /// Ends it and waits until it is gone. One that does not end when asked is ended.
    pub fn stop(&self, how: Stop) -> Outcome {
        let Some(process) = self.process() else { return Ok(()) };
        let signals: &[&str] = match how {
            Stop::Orderly => &["-TERM", "-KILL"],
            Stop::Immediate => &["-KILL"],
        };
        for signal in signals {
            expect(Command::new("kill").arg(signal).arg(process.to_string()))?;
            for _ in 0..PATIENCE / 2 {
                if self.process().is_none() {
                    let _ = fs::remove_file(self.file());
                    return Ok(());
                }
                thread::sleep(PAUSE);
            }
        }
        Err(format!("{} (process {process}) does not end", self.name))
    }

    pub fn log(&self) -> PathBuf {
        self.home.join(format!("{}.log", self.name))
    }

    fn file(&self) -> PathBuf {
        self.home.join(format!("{}.pid", self.name))
    }

    fn failure(&self, what: &str) -> String {
        format!("{}: {what}\n{}", self.name, last_lines(&self.log()))
    }
}

/// When the process began, as the kernel counts; `None` when there is none, or it has ended and
/// nobody asked how. With its number this is unlike any process before or after it.
fn born(process: u32) -> Option<String> {
    if let Ok(text) = fs::read_to_string(format!("/proc/{process}/stat")) {
        // The name, in parentheses, may hold anything; the state follows it.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        // A leader that ended before its threads looks dead while they still hold its port.
        let threads = || fs::read_dir(format!("/proc/{process}/task")).map_or(0, Iterator::count);
        let gone = *fields.first()? == "Z" && threads() <= 1;
        return if gone { None } else { fields.get(19).map(ToString::to_string) };
    }
    let listed = Command::new("ps").args(["-o", "lstart=", "-p", &process.to_string()]).output();
    let text = String::from_utf8_lossy(&listed.ok()?.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

pub fn last_lines(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// The port that stands in the file while it is free, or another free one, which then stands there.
/// It lies below those that the system gives to whoever connects: while a server is stopped, no
/// client takes its place.
pub fn port(file: &Path) -> Outcome<u16> {
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    if let Some(port) = remembered(file).filter(free) {
        return Ok(port);
    }
    let mut chance = [0_u8; 2 * PORTS_TRIED];
    randomness(&mut chance)?;
    let candidates = chance.chunks_exact(2).map(|pair| {
        let number = u16::from_be_bytes([pair[0], pair[1]]);
        PORTS.start + number % (PORTS.end - PORTS.start)
    });
    let port = candidates.into_iter().find(free).ok_or("no port is free")?;
    project::write(file, port.to_string().as_bytes())?;
    Ok(port)
}

pub fn remembered(file: &Path) -> Option<u16> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Sends the question to this port; what came back within a second, as far as it fits.
pub fn ask(port: u16, question: &[u8]) -> Option<Vec<u8>> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let second = Duration::from_secs(1);
    let mut stream = TcpStream::connect_timeout(&address, second).ok()?;
    stream.set_read_timeout(Some(second)).ok()?;
    stream.write_all(question).ok()?;
    let mut answer = [0_u8; 64];
    let length = stream.read(&mut answer).ok()?;
    (length > 0).then(|| answer[..length].to_vec())
}

fn randomness(bytes: &mut [u8]) -> Outcome {
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(bytes))
        .map_err(|error| format!("no randomness: {error}"))
}

/// The password in the file; made when there is none.
pub fn password(file: &Path) -> Outcome<String> {
    if let Ok(text) = fs::read_to_string(file)
        && !text.trim().is_empty()
    {
        return Ok(text.trim().to_owned());
    }
    let mut bytes = [0_u8; 16];
    randomness(&mut bytes)?;
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    write_private(file, &text)?;
    Ok(text)
}

/// Writes a file that is its owner's alone.
pub fn write_private(path: &Path, text: &str) -> Outcome {
    let failed = |error| format!("cannot write {}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

/// Runs it quietly; what it said is part of the error.
pub fn expect(command: &mut Command) -> Outcome<Output> {
    let shown = crate::tools::shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{shown}` cannot start: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    let said = said.join("\n");
    let lines: Vec<&str> = said.trim().lines().collect();
    let end = lines[lines.len().saturating_sub(20)..].join("\n");
    Err(format!("`{shown}` failed ({}): {end}", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("mercat-xtask-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_process_is_known_by_its_beginning_and_gone_when_it_was_ended() {
        let home = folder("daemon");
        let daemon = Daemon { home: &home, name: "sleeper" };
        assert_eq!(daemon.process(), None);
        daemon.start(Command::new("sleep").arg("600")).unwrap();
        let process = daemon.process().unwrap();

        // Somebody else's process has the number.
        let own = std::process::id();
        fs::write(home.join("sleeper.pid"), format!("{own}\n1\n")).unwrap();
        assert_eq!(daemon.process(), None);
        daemon.stop(Stop::Immediate).unwrap();

        fs::write(home.join("sleeper.pid"), format!("{process}\n{}\n", born(process).unwrap()))
            .unwrap();
        assert_eq!(daemon.process(), Some(process));
        daemon.stop(Stop::Orderly).unwrap();
        assert_eq!(daemon.process(), None);
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_server_that_ends_while_it_starts_tells_what_it_said() {
        let home = folder("failing");
        let daemon = Daemon { home: &home, name: "failing" };
        // It reads its input, which is empty, after it has said why.
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such folder; read -r line"]);
        // Either moment of its end is a failure that carries the reason or says that it ended.
        let outcome = daemon.start(&mut command).and_then(|()| daemon.wait_until(|| false));
        assert!(outcome.unwrap_err().contains("it ended"));
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_port_is_kept_while_it_is_free_and_given_up_when_it_is_taken() {
        let home = folder("port");
        let file = home.join("port");
        let first = port(&file).unwrap();
        assert_eq!(port(&file).unwrap(), first);
        let taken = TcpListener::bind(("127.0.0.1", first)).unwrap();
        assert_ne!(port(&file).unwrap(), first);
        drop(taken);
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_password_is_made_once() {
        let home = folder("password");
        let first = password(&home.join("password")).unwrap();
        assert_eq!(first.len(), 32);
        assert_eq!(password(&home.join("password")).unwrap(), first);
        fs::remove_dir_all(home).unwrap();
    }
}
