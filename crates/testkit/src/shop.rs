//! A shop as a child process.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::client::Client;
use crate::people::Staff;
use crate::processes::{Process, processes};
use crate::servers::Servers;
use crate::until_within;

/// The first start of a debug build on a busy machine, be it of several processes.
const START: Duration = Duration::from_mins(2);
const TAIL_LINES: usize = 60;

/// How the services reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    Embedded,
    Loopback,
    Kafka,
    RabbitMq,
    /// Kafka, with two processes each of ordering and inventory.
    Replicas,
}

impl Topology {
    pub const ALL: [Self; 5] =
        [Self::Embedded, Self::Loopback, Self::Kafka, Self::RabbitMq, Self::Replicas];

    /// Does each service have a process of its own?
    pub fn has_processes(self) -> bool {
        !matches!(self, Self::Embedded | Self::Loopback)
    }

    /// As `--topology` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Loopback => "loopback",
            Self::Kafka | Self::Replicas => "kafka",
            Self::RabbitMq => "rabbitmq",
        }
    }
}

/// What to start.
#[derive(Clone, Debug)]
pub struct Start {
    program: PathBuf,
    topology: Topology,
    demo: bool,
    settings: Vec<String>,
    crash_at: Option<String>,
    bug: Option<String>,
    servers: Option<Servers>,
}

/// A provider that hangs is given up after this long, so that tests are not the ones that wait.
const PROVIDER_TIMEOUT: &str = "payment.provider_timeout_ms=400";
const NEEDS_TIME: &str = "payment.test_provider.needs_time_ms=600";
/// The least that identity accepts: tests sign in often, and guess nothing.
const CHEAP_HASHES: [&str; 2] =
    ["identity.password_memory_kib=19456", "identity.password_passes=2"];

/// All buyers of a test come from one address, and none of them is a flood.
const MANY_SIGN_INS: [&str; 3] = [
    "gateway.rate_limit.auth_per_minute=1000000",
    "gateway.rate_limit.auth_burst=1000000",
    "identity.password_queue_per_client=64",
];

impl Start {
    /// An empty shop. `program` is the `mercat` binary.
    pub fn new(program: impl Into<PathBuf>, topology: Topology) -> Self {
        let settings =
            [PROVIDER_TIMEOUT, NEEDS_TIME].into_iter().chain(CHEAP_HASHES).chain(MANY_SIGN_INS);
        let settings = settings.map(str::to_owned).collect();
        let servers = topology.has_processes().then(|| Servers::of(topology));
        let (program, crash_at, bug) = (program.into(), None, None);
        Self { program, topology, demo: false, settings, crash_at, bug, servers }
    }

    /// With the demo catalog.
    pub fn demo(mut self) -> Self {
        self.demo = true;
        self
    }

    /// With `--set section.key=value`.
    pub fn set(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// Kills itself when it passes the named point; `point@service` is another process than usual.
    pub fn crash_at(mut self, point: &str) -> Self {
        self.crash_at = Some(point.to_owned());
        self
    }

    /// Makes a mistake on purpose, in a build that can.
    pub fn bug(mut self, name: impl Into<String>) -> Self {
        self.bug = Some(name.into());
        self
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("up").arg("--data").arg(folder.join("data"));
        command.args(["--listen", "127.0.0.1:0", "--topology", self.topology.name()]);
        if self.demo {
            command.arg("--demo");
        }
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        if let Some(servers) = &self.servers {
            servers.tell(&mut command);
        }
        if self.topology == Topology::Replicas {
            command.args(["--replicas", "ordering=2", "--replicas", "inventory=2"]);
        }
        command.env_remove("MERCAT_CRASH_AT").env_remove("MERCAT_CRASH_IN");
        command.env_remove("MERCAT_BUG").envs(self.bug.iter().map(|bug| ("MERCAT_BUG", bug)));
        if let Some(point) = &self.crash_at {
            let (point, service) = point.split_once('@').unwrap_or((point, service_of(point)));
            command.env("MERCAT_CRASH_AT", point);
            if self.topology.has_processes() {
                // The shop ends with the one that dies, as one process does.
                command.arg("--fail-fast").env("MERCAT_CRASH_IN", service);
            }
        }
        command.current_dir(folder);
        command
    }
}

/// Where a crash point is to be reached: those of the platform are in every process.
fn service_of(point: &str) -> &str {
    let area = point.split_once('.').map_or(point, |(area, _)| area);
    match area {
        "executor" | "relay" | "lease" | "rpc" => "ordering",
        "intake" => "inventory",
        area => area,
    }
}

/// The shop of a topology that the tests of one program share. It runs while somebody holds it.
pub async fn shared(program: &str, topology: Topology) -> Arc<Shop> {
    static SHOPS: [tokio::sync::Mutex<Weak<Shop>>; Topology::ALL.len()] =
        [const { tokio::sync::Mutex::const_new(Weak::new()) }; Topology::ALL.len()];
    let mut shop = SHOPS[topology as usize].lock().await;
    if let Some(shop) = shop.upgrade().filter(|shop| shop.is_alive()) {
        return shop;
    }
    let fresh = Arc::new(Shop::start(Start::new(program, topology)).await);
    *shop = Arc::downgrade(&fresh);
    fresh
}

/// A running shop with its data folder. Dropping it kills the process and deletes the folder.
pub struct Shop {
    start: Mutex<Start>,
    folder: TempDir,
    running: Mutex<Running>,
    staff: OnceCell<Staff>,
}

struct Running {
    child: Option<Child>,
    processes: Vec<Process>,
    address: String,
    /// Of the last start that was awaited.
    ready_ms: u64,
}

impl Shop {
    /// Starts a shop in a fresh folder and waits until it is ready.
    pub async fn start(start: Start) -> Self {
        let shop = Self::prepared(start);
        shop.spawn();
        shop.ready().await;
        shop
    }

    fn prepared(start: Start) -> Self {
        Self {
            start: Mutex::new(start),
            folder: tempfile::tempdir().expect("a test may write to the temporary folder"),
            running: Mutex::new(Running {
                child: None,
                processes: Vec::new(),
                address: String::new(),
                ready_ms: 0,
            }),
            staff: OnceCell::new(),
        }
    }

    /// A client of nobody in particular, with connections of its own.
    pub fn client(&self) -> Client {
        Client::new(self.address())
    }

    /// Where the shop front side listens.
    pub fn address(&self) -> String {
        self.running().address.clone()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for files of the test; it goes with the shop.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn program(&self) -> PathBuf {
        self.lock_start().program.clone()
    }

    pub fn topology(&self) -> Topology {
        self.lock_start().topology
    }

    /// How long the last start took, as the shop itself measured.
    pub fn ready_ms(&self) -> u64 {
        self.running().ready_ms
    }

    /// The owner of the shop, signed in.
    pub async fn staff(&self) -> &Staff {
        self.staff.get_or_init(|| Staff::first(self)).await
    }

    /// The owner's client, with connections to where the shop listens now.
    pub async fn admin(&self) -> Client {
        let token = self.staff().await.key.clone();
        self.client().with_token(token)
    }

    /// The password that the first start printed.
    pub async fn first_password(&self) -> String {
        let path = self.folder.path().join("stdout");
        crate::until("the first start prints the staff password", async || {
            let printed = std::fs::read_to_string(&path).ok()?;
            let (_, rest) = printed.lines().find_map(|line| line.split_once("password: "))?;
            Some(rest.split_whitespace().next()?.to_owned())
        })
        .await
    }

    /// SIGKILL, and wait until the process is gone.
    pub fn kill(&self) {
        if let Some(mut child) = self.running().child.take() {
            // It may have ended by itself: that is dead enough.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Kills what runs and starts again on the same data.
    pub async fn restart(&self) {
        self.kill();
        self.spawn();
        self.ready().await;
    }

    /// Like [`Shop::restart`], now dying at a crash point.
    pub async fn restart_to_crash_at(&self, point: &str) {
        self.kill();
        self.lock_start().crash_at = Some(point.to_owned());
        self.spawn();
        self.lock_start().crash_at = None;
        self.ready_or_dead().await;
    }

    /// Whether the process is still there, and every process that it started.
    pub fn is_alive(&self) -> bool {
        let mut running = self.running();
        let runs = running.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)));
        runs && running.processes.iter().all(Process::is_alive)
    }

    /// The database of a service of a shop of processes, as the owner of the server.
    pub fn database(&self, service: &str) -> String {
        let start = self.lock_start();
        start.servers.as_ref().expect("its databases are on a server").database(service)
    }

    /// The process that was started, while it runs.
    pub fn process(&self) -> Option<u32> {
        self.running().child.as_ref().map(Child::id)
    }

    /// The processes of the services now, where they have some: one that died has another id.
    pub fn processes(&self) -> Vec<Process> {
        self.told().map(|run| processes(&run)).unwrap_or_default()
    }

    /// What the shop tells of itself, once it is ready.
    fn told(&self) -> Option<Value> {
        let text = std::fs::read(self.data().join("run.json")).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Runs another command of the program, such as `import`, and answers what it printed. The test
    /// fails when the command does.
    pub async fn run(&self, arguments: &[&str]) -> String {
        let (program, folder) = (self.program(), self.folder.path().to_owned());
        let words: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        let shown = words.join(" ");
        let work = move || {
            Command::new(program).args(words).current_dir(folder).stdin(Stdio::null()).output()
        };
        let output = tokio::task::spawn_blocking(work).await.expect("waiting does not panic");
        let output = output.unwrap_or_else(|error| panic!("mercat {shown}: {error}"));
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "mercat {shown}: {}\n{printed}\n{said}", output.status);
        printed
    }

    fn spawn(&self) {
        let folder = self.folder.path();
        // A run.json of a killed process would name a port that nobody listens on.
        let _ = std::fs::remove_file(self.data().join("run.json"));
        let open = |name: &str| {
            let path = folder.join(name);
            let file = File::options().create(true).append(true).open(path);
            file.expect("the folder is writable")
        };
        let start = self.lock_start().clone();
        let mut command = start.command(folder);
        command.stdin(Stdio::null()).stdout(open("stdout")).stderr(open("stderr"));
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{}: {error}", start.program.display()));
        let mut running = self.running();
        running.processes.clear();
        running.child = Some(child);
    }

    async fn ready(&self) {
        let is_ready = self.ready_or_dead().await;
        assert!(is_ready, "the shop ended instead of getting ready:\n{}", self.log_tail());
    }

    /// False when the process ended before it was ready.
    async fn ready_or_dead(&self) -> bool {
        let ready = until_within(START, "the shop is ready", async || {
            if !self.is_alive() {
                return Some(None);
            }
            let pid = self.running().child.as_ref().map(Child::id)?;
            let run = self.told()?;
            (run["pid"] == pid).then_some(Some(run))
        });
        let Some(run) = ready.await else { return false };
        let mut running = self.running();
        let address = run["shop"].as_str().expect("run.json tells the address");
        address.clone_into(&mut running.address);
        running.processes = processes(&run);
        running.ready_ms = run["ready_ms"].as_u64().unwrap_or_default();
        true
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read(self.folder.path().join("stderr")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    /// Everything it logged so far.
    pub fn log(&self) -> String {
        let log = std::fs::read(self.folder.path().join("stderr")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_start(&self) -> MutexGuard<'_, Start> {
        self.start.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shop({}, {})", self.topology().name(), self.address())
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.kill();
        if let Some(servers) = &self.lock_start().servers {
            servers.tidy_up();
        }
        if std::thread::panicking() {
            eprintln!("--- the end of the shop's log\n{}\n---", self.log_tail());
        }
    }
}
