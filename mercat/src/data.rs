//! The data folder: who may use it, and what a running shop tells about itself.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// A data folder that no other process uses while this lives.
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// `run.json` in the data folder of a running shop.
#[derive(Serialize)]
pub struct Run<'a> {
    pub shop: String,
    pub internal: String,
    pub pid: u32,
    pub topology: &'a str,
    pub ready_ms: u64,
    /// Where services run that have processes of their own.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub processes: &'a [Process],
}

/// One process of a service.
#[derive(Clone, Debug, Serialize)]
pub struct Process {
    pub service: &'static str,
    /// From 1.
    pub nth: u32,
    pub pid: u32,
    pub address: String,
    pub internal: String,
}

impl DataFolder {
    /// Creates the folder when it is missing, readable by its owner only, and locks it.
    pub fn open(path: &Path) -> Result<Self, String> {
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            format!("the data folder {} {what}: {error}", path.display())
        };
        create_private(path).map_err(|error| failed("cannot be created", &error))?;
        let lock = open_private(&path.join("lock"), false);
        let lock = lock.map_err(|error| failed("cannot be locked", &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(format!(
                "the data folder {} is in use by another mercat; stop it, or name another folder \
                 with --data",
                path.display()
            )),
            Err(TryLockError::Error(error)) => Err(failed("cannot be locked", &error)),
        }
    }

    /// The same, for a shop in this process: one that moved to servers is refused.
    pub fn open_shop(path: &Path) -> Result<Self, String> {
        crate::moved::refuse(path)?;
        Self::open(path)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same, for commands that only look: a folder without a shop in it is a mistyped one.
    pub fn open_existing(path: &Path) -> Result<Self, String> {
        if !holds_shop(path) {
            return Err(no_shop(path));
        }
        Self::open_shop(path)
    }

    /// For the move to servers, which may have been stopped before.
    #[cfg(feature = "servers")]
    pub fn open_to_move(path: &Path) -> Result<Self, String> {
        if holds_shop(path) { Self::open(path) } else { Err(no_shop(path)) }
    }

    /// For a shop of processes, whose databases are elsewhere: a shop that is still in the folder
    /// would be forgotten there.
    #[cfg(feature = "servers")]
    pub fn open_for_processes(path: &Path) -> Result<Self, String> {
        let arrived = crate::moved::Move::of(path)?.is_some_and(|moved| moved.done_at.is_some());
        if holds_shop(path) && !arrived {
            let path = path.display();
            return Err(format!(
                "the folder {path} holds a shop that runs in one process. Move it to the servers \
                 with `mercat migrate --from {path}`, or name another folder with --data"
            ));
        }
        Self::open(path)
    }

    /// The database of a service, created empty if it is missing. SQLite gives the files beside it
    /// the same permissions.
    pub fn database(&self, service: &str) -> Result<PathBuf, String> {
        let path = self.path.join(format!("{service}.db"));
        open_private(&path, false).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    /// A folder inside, created if it is missing.
    pub fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.path.join(name);
        create_private(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    /// Written whole or not at all, so that a reader never sees half of it.
    pub fn tell(&self, run: &Run<'_>) -> std::io::Result<()> {
        let draft = self.path.join("run.json.new");
        open_private(&draft, true)?.write_all(&serde_json::to_vec_pretty(run)?)?;
        std::fs::rename(draft, self.path.join("run.json"))
    }

    pub fn untell(&self) {
        let _ = std::fs::remove_file(self.path.join("run.json"));
    }
}

/// Are there databases of a shop in one process?
fn holds_shop(folder: &Path) -> bool {
    folder.join("catalog.db").exists()
}

fn no_shop(folder: &Path) -> String {
    format!("there is no shop in {}; name its data folder with --data", folder.display())
}

/// The internal addresses that the shop of a data folder told of, if one did.
pub fn internal_addresses(folder: &Path) -> Vec<String> {
    let text = std::fs::read(folder.join("run.json")).unwrap_or_default();
    let run: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    match run["processes"].as_array() {
        Some(processes) => processes.iter().filter_map(|p| text(&p["internal"])).collect(),
        None => text(&run["internal"]).into_iter().collect(),
    }
}

/// A folder that we make is its owner's alone: it will hold keys and addresses. One that exists
/// keeps the permissions that somebody gave it.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file that is its owner's alone.
#[cfg(feature = "servers")]
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    open_private(path, true)?.write_all(content)
}

/// A file that we make is its owner's alone, whatever the umask is.
fn open_private(path: &Path, truncate: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(truncate);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// `http://` and an address that a browser takes: the unspecified address becomes loopback.
pub fn url(address: SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}
