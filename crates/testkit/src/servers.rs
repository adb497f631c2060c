//! The servers under a shop of processes: PostgreSQL and a broker, the real ones.

use std::io::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use platform::store::postgres::provision::{Account, provision, unprovision};
pub use platform::testing::servers::told;
use platform::testing::servers::{KAFKA, POSTGRES, RABBITMQ, told_or_skipped};

use crate::shop::Topology;

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
    match topology {
        Topology::Embedded | Topology::Loopback => true,
        Topology::Kafka | Topology::Replicas => told_or_skipped([POSTGRES, KAFKA]).is_some(),
        Topology::RabbitMq => told_or_skipped([POSTGRES, RABBITMQ]).is_some(),
    }
}

impl Servers {
    /// For a new shop. [`are_there`] was asked before.
    pub(crate) fn of(topology: Topology) -> Self {
        static SHOPS: AtomicU32 = AtomicU32::new(0);
        let nth = SHOPS.fetch_add(1, Ordering::Relaxed);
        // Of no process that had this id before and was killed with its databases behind it.
        let since = platform::Env::system().uuid().simple().to_string();
        let prefix = format!("t{}x{nth}x{}", std::process::id(), &since[6..12]);
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
