//! The servers under a shop of processes: PostgreSQL and a broker, the real ones.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use platform::store::postgres::provision::{Account, provision, unprovision};

use crate::shop::Topology;

const POSTGRES: &str = "MERCAT_TEST_POSTGRES";
const KAFKA: &str = "MERCAT_TEST_KAFKA";
const RABBITMQ: &str = "MERCAT_TEST_RABBITMQ";
/// Of roles that only tests have.
const PASSWORD: &str = "onlyfortests";
/// Services with a database.
const OWNERS: [&str; 5] = ["identity", "catalog", "inventory", "ordering", "payment"];

/// Where a topology's servers are, and what belongs to one shop on them.
#[derive(Clone, Debug)]
pub(crate) struct Servers {
    postgres: String,
    broker: (&'static str, String),
    prefix: String,
}

/// Are the servers of a topology there? Says loudly when they are not; in CI they have to be.
pub fn are_there(topology: Topology) -> bool {
    let missing: Vec<_> =
        needed(topology).into_iter().filter(|name| told(name).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    let missing = format!("no {}: run `cargo xtask services up`", missing.join(", "));
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    // Past the capture of the test runner, so that it is seen.
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    let _ = writeln!(std::io::stderr(), "*** SKIPPED {test}: {missing}");
    false
}

fn needed(topology: Topology) -> Vec<&'static str> {
    match topology {
        Topology::Embedded | Topology::Loopback => Vec::new(),
        Topology::Kafka | Topology::Replicas => vec![POSTGRES, KAFKA],
        Topology::RabbitMq => vec![POSTGRES, RABBITMQ],
    }
}

/// `cargo xtask test` tells it; `cargo xtask services up` leaves it in a file.
pub fn told(name: &str) -> Option<String> {
    std::env::var(name).ok().or_else(|| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/services/env");
        let text = std::fs::read_to_string(file).ok()?;
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.map(str::to_owned)
    })
}

impl Servers {
    /// For a new shop. [`are_there`] was asked before.
    pub(crate) fn of(topology: Topology) -> Self {
        static SHOPS: AtomicU32 = AtomicU32::new(0);
        let nth = SHOPS.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("t{}x{nth}", std::process::id());
        let address = |name| told(name).unwrap_or_else(|| panic!("{name} is not set"));
        let broker = match topology {
            Topology::RabbitMq => ("broker.url", address(RABBITMQ)),
            _ => ("broker.servers", address(KAFKA)),
        };
        Self { postgres: address(POSTGRES), broker, prefix }
    }

    pub(crate) fn tell(&self, command: &mut Command) {
        let (key, address) = &self.broker;
        for setting in [
            format!("database.url={}", self.postgres),
            format!("{key}={address}"),
            format!("broker.prefix={}", self.prefix),
        ] {
            command.args(["--set", &setting]);
        }
    }

    /// Makes a service's database, as its owner would.
    pub(crate) async fn create(&self, service: &str) {
        let name = format!("{}_{service}", self.prefix);
        let account = Account { name, password: PASSWORD.to_owned() };
        provision(&self.postgres, &account).await.expect("the server makes databases");
    }

    /// What a process of the service is told, by `--set`.
    pub(crate) fn settings(&self, service: &str) -> Vec<String> {
        let (key, address) = &self.broker;
        vec![
            format!("database.url={}", self.database(service)),
            format!("{key}={address}"),
            format!("broker.prefix={}", self.prefix),
        ]
    }

    /// Where a service's database is, for the owner of the server.
    pub(crate) fn database(&self, service: &str) -> String {
        let (server, _) = self.postgres.rsplit_once('/').expect("the address names a database");
        format!("{server}/{}_{service}", self.prefix)
    }

    /// Takes the databases away. What is left at the broker goes with the broker.
    pub(crate) fn tidy_up(&self) {
        let (postgres, prefix) = (self.postgres.clone(), self.prefix.clone());
        // A test's own runtime cannot be waited for from inside of it.
        let work = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            for service in OWNERS {
                let name = format!("{prefix}_{service}");
                if let Err(error) = runtime.block_on(unprovision(&postgres, &name)) {
                    let _ = writeln!(std::io::stderr(), "{name} stays: {error}");
                }
            }
        });
        let _ = work.join();
    }
}
