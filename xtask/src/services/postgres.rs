//! A PostgreSQL server of the machine's own packages, with a cluster of ours.
//!
//! It refuses to run as root, so there it runs as the user `postgres` that its package made. It
//! does not wait for the disk: tests need it to be right, and a machine that loses power loses
//! them anyway.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    Server, Stop,
    daemon::{self, expect},
    packages::{self, is_root},
};
use crate::{Outcome, project::Project};

pub struct Postgres {
    /// `initdb`, `pg_ctl` and the rest.
    programs: PathBuf,
    /// Holds `data`, `log` and `password`.
    home: PathBuf,
    /// Whom it runs as when that is not who runs this.
    user: Option<&'static str>,
}

const OWNER: &str = "postgres";
const ROLE: &str = "mercat";
/// For tests: hold back nothing that only a loss of power can cost, take every test's connections.
const SETTINGS: &str = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
                        -c full_page_writes=off -c max_connections=600 -c shared_buffers=64MB";

impl Postgres {
    /// Brings the programs here when they are missing.
    pub fn install(project: &Project) -> Outcome<Box<dyn Server>> {
        if programs().is_none() {
            packages::install("PostgreSQL", &["postgresql"])?;
        }
        Self::boxed(project)?.ok_or_else(|| "PostgreSQL is still missing".to_owned())
    }

    pub fn boxed(project: &Project) -> Outcome<Option<Box<dyn Server>>> {
        Ok(Self::installed(project)?.map(|server| Box::new(server) as Box<dyn Server>))
    }

    /// `None` when this machine has no PostgreSQL.
    fn installed(project: &Project) -> Outcome<Option<Self>> {
        let Some(programs) = programs() else { return Ok(None) };
        let user = is_root().then_some(OWNER);
        let home = super::home(project, "postgres")?;
        let mut server = Self { programs, home, user };
        if let Some(user) = user {
            expect(Command::new("chown").arg(user).arg(&server.home))?;
            let reaches = server.command(Path::new("test")).arg("-w").arg(&server.home).output();
            if !reaches.is_ok_and(|output| output.status.success()) {
                // A checkout in a folder that is closed to others: its own home is open to it.
                server.home = elsewhere(project);
                let made = ["mkdir", "-p"].map(Path::new);
                expect(server.command(made[0]).arg(made[1]).arg(&server.home))?;
            }
        }
        Ok(Some(server))
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// Makes the cluster; a half-made one, or one of another version, is made anew.
    fn initialize(&self) -> Outcome {
        let version = fs::read_to_string(self.data().join("PG_VERSION")).unwrap_or_default();
        let server = expect(self.program("postgres").arg("--version"))?;
        let server = String::from_utf8_lossy(&server.stdout).into_owned();
        if !version.is_empty() && server.contains(&format!(" {}.", version.trim())) {
            return Ok(());
        }
        let (data, fresh) = (self.data(), self.home.join("data.new"));
        for folder in [&data, &fresh].into_iter().filter(|folder| folder.exists()) {
            fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        self.write_password()?;
        let mut initdb = self.program("initdb");
        initdb.arg("-D").arg(&fresh).arg("--pwfile").arg(self.home.join("password"));
        initdb.args(["-U", ROLE, "--auth=scram-sha-256", "-E", "UTF8", "--locale=C", "-N"]);
        expect(&mut initdb)?;
        fs::rename(&fresh, &data).map_err(|error| format!("{}: {error}", data.display()))
    }

    /// Only the server's user may read it. The file stands before it has a content, so that the
    /// content is never somebody else's to read.
    fn write_password(&self) -> Outcome {
        let path = self.home.join("password");
        if path.exists() {
            fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        daemon::password(&path)?;
        match self.user {
            Some(user) => expect(Command::new("chown").arg(user).arg(&path)).map(drop),
            None => Ok(()),
        }
    }

    fn program(&self, name: &str) -> Command {
        self.command(&self.programs.join(name))
    }

    /// A command as the user that the server runs as, in a folder that this user may read.
    fn command(&self, program: &Path) -> Command {
        let mut command = match self.user {
            None => Command::new(program),
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(program);
                command
            }
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

impl Server for Postgres {
    fn start(&self) -> Outcome<bool> {
        if self.port().is_some() {
            return Ok(false);
        }
        self.initialize()?;
        let stale = self.data().join("postmaster.pid");
        if stale.exists() {
            fs::remove_file(&stale).map_err(|error| format!("{}: {error}", stale.display()))?;
        }
        let port = daemon::port(&self.home.join("port"))?;
        let mut start = self.program("pg_ctl");
        start.arg("-D").arg(self.data()).arg("-l").arg(self.home.join("log"));
        start.args(["-w", "-t", "60", "-o", &format!("-p {port} {SETTINGS}"), "start"]);
        // Its own output goes to its log; a pipe of ours would stay open as long as it runs.
        start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let why = match start.status() {
            Ok(status) if status.success() => return Ok(true),
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let end = daemon::last_lines(&self.home.join("log"));
        Err(format!("PostgreSQL does not start ({why}):\n{end}"))
    }

    fn stop(&self, how: Stop) -> Outcome {
        if self.port().is_none() {
            return Ok(());
        }
        let mode = match how {
            Stop::Orderly => "fast",
            Stop::Immediate => "immediate",
        };
        let mut stop = self.program("pg_ctl");
        stop.arg("-D").arg(self.data()).args(["-m", mode, "-w", "-t", "60", "stop"]);
        expect(&mut stop).map(drop)
    }

    /// The process must be the one of our folder: after a restart of the machine its number may be
    /// somebody else's.
    fn port(&self) -> Option<u16> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let process: u32 = lines.next()?.trim().parse().ok()?;
        let port = lines.nth(2)?.trim().parse().ok()?;
        let arguments = fs::read(format!("/proc/{process}/cmdline")).or_else(|_| {
            let id = process.to_string();
            let listed = Command::new("ps").args(["-o", "args=", "-p", &id]).output();
            listed.map(|output| output.stdout)
        });
        let arguments = String::from_utf8_lossy(&arguments.ok()?).into_owned();
        arguments.contains(self.data().to_str()?).then_some(port)
    }

    fn address(&self) -> Option<String> {
        let port = self.port().or_else(|| daemon::remembered(&self.home.join("port")))?;
        let password = fs::read_to_string(self.home.join("password")).ok()?;
        Some(format!("postgres://{ROLE}:{}@127.0.0.1:{port}/postgres", password.trim()))
    }
}

/// The newest version that Debian's packages put here, or what the path says.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = versions.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin")))
    });
    let complete = folders.filter(|(_, folder)| folder.join("initdb").is_file());
    if let Some((_, folder)) = complete.max() {
        return Some(folder);
    }
    let told = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = PathBuf::from(String::from_utf8_lossy(&told.stdout).trim());
    folder.join("initdb").is_file().then_some(folder)
}

/// One folder a checkout, in the home folder of the server's user.
fn elsewhere(project: &Project) -> PathBuf {
    let mut hash = DefaultHasher::new();
    project.root.hash(&mut hash);
    PathBuf::from(format!("/var/lib/postgresql/mercat-{:016x}", hash.finish()))
}
