//! A shop of processes, each of which reaches everything over wires of its own.
//!
//! [`place`] is one process and what it is told; [`wires`] are its ways to the database, the broker
//! and the others. Nobody starts a process again by itself here: a row does, and one that ends
//! without being told to is a finding.

mod place;
mod wires;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checker::Servers;
use futures_util::future::join_all;
use platform::Env;
use platform::store::postgres::provision::{Account, provision, unprovision};
use tempfile::TempDir;
use testkit::people::Staff;
use testkit::{Client, until_within};
use tokio::sync::OnceCell;

pub use place::Place;
use place::{Running, free_address};
pub use wires::{BrokerKind, To, Wire};

use crate::clocks;
use crate::settings::Settings;

/// Of roles that only tests have.
const PASSWORD: &str = "onlyfortests";
const OWNERS: [&str; 5] = ["identity", "catalog", "inventory", "ordering", "payment"];
/// A debug build on a busy machine.
const START: Duration = Duration::from_mins(3);

/// What kind of shop it is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    pub broker: BrokerKind,
    /// Processes of ordering and of inventory.
    pub replicas: u32,
    /// `section.key=value`, for every process.
    pub settings: Vec<String>,
    /// The library that gives each process a clock of its own, to be set by [`Fleet::set_clock`].
    pub clocks: Option<&'static str>,
}

pub struct Fleet {
    env: Env,
    pub folder: TempDir,
    prefix: String,
    postgres: String,
    pub places: Vec<Place>,
    pub wires: Vec<Wire>,
    running: Mutex<BTreeMap<String, Running>>,
    /// The mistakes that services make on purpose.
    bugs: Mutex<BTreeMap<&'static str, String>>,
    staff: OnceCell<String>,
}

impl Fleet {
    /// With fresh databases, ready to sell.
    pub async fn start(env: &Env, settings: &Settings, plan: &Plan) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let bytes: [u8; 4] = env.random();
        let prefix = format!("f{:08x}", u32::from_be_bytes(bytes));
        let postgres = wires::server("MERCAT_TEST_POSTGRES")?;
        let mut databases = BTreeMap::new();
        for service in OWNERS {
            let name = format!("{prefix}_{service}");
            let account = Account { name, password: PASSWORD.to_owned() };
            databases.insert(service, provision(&postgres, &account).await?);
        }
        let mut places = Vec::new();
        for service in ["identity", "catalog", "inventory", "ordering", "payment", "gateway"] {
            let is_many = ["inventory", "ordering"].contains(&service);
            for nth in 1..=if is_many { plan.replicas } else { 1 } {
                let (address, internal) = (free_address()?, free_address()?);
                places.push(Place::new(service, nth, address, internal));
            }
        }
        let wires = wires::lay(env, &places, plan.broker, &postgres).await?;
        for place in &mut places {
            place
                .tell(settings, plan, folder.path(), &prefix)
                .map_err(|error| error.to_string())?;
            wires::tell(place, &wires, plan.broker, databases.get(place.service))?;
        }
        let all = places.iter().map(|place| place.service);
        let bugs = all.filter_map(|service| Some((service, settings.bug.clone()?))).collect();
        let fleet = Self {
            env: env.clone(),
            folder,
            prefix,
            postgres,
            places,
            wires,
            running: Mutex::default(),
            bugs: Mutex::new(bugs),
            staff: OnceCell::new(),
        };
        for place in &fleet.places {
            fleet.spawn(place)?;
        }
        fleet.all_ready().await;
        Ok(fleet)
    }

    /// Starts a process that does not run.
    pub fn spawn(&self, place: &Place) -> Result<(), String> {
        let bug = self.bugs().get(place.service).cloned();
        let running = Running::start(place, self.folder.path(), bug)?;
        self.running().insert(place.name.clone(), running);
        Ok(())
    }

    /// SIGKILL, and gone.
    pub fn kill(&self, place: &Place) {
        self.running().remove(&place.name);
    }

    /// All processes of a service die and come again, from now on with this mistake, or with none.
    pub async fn start_again(
        &self,
        service: &'static str,
        bug: Option<&str>,
    ) -> Result<(), String> {
        match bug {
            Some(bug) => self.bugs().insert(service, bug.to_owned()),
            None => self.bugs().remove(service),
        };
        for place in self.of(service) {
            self.kill(place);
            self.spawn(place)?;
        }
        join_all(self.of(service).map(|place| self.ready(place))).await;
        Ok(())
    }

    /// How far the clock of a process is from the others', such as `+7200` (seconds). The fleet was
    /// started with clocks.
    pub fn set_clock(&self, place: &Place, offset: &str) -> Result<(), String> {
        clocks::set(&place.clock(self.folder.path()), offset).map_err(|error| error.to_string())
    }

    /// Such as `-STOP`.
    pub fn signal(&self, place: &Place, signal: &str) -> Result<(), String> {
        let pid = self.pid(place).ok_or_else(|| format!("{} does not run", place.name))?;
        let sent = std::process::Command::new("kill").args([signal, &pid.to_string()]).status();
        match sent {
            Ok(status) if status.success() => Ok(()),
            other => Err(format!("kill {signal} {}: {other:?}", place.name)),
        }
    }

    pub fn pid(&self, place: &Place) -> Option<u32> {
        self.running().get(&place.name).map(Running::pid)
    }

    /// The processes that ended by themselves, with the end of their logs. They are started again.
    pub fn ended(&self) -> Vec<String> {
        let mut told = Vec::new();
        for place in &self.places {
            let end = self.running().get_mut(&place.name).and_then(Running::has_ended);
            if let Some(status) = end {
                told.push(format!("{} ended: {status}\n{}", place.name, self.log_tail(place)));
                self.kill(place);
                if let Err(error) = self.spawn(place) {
                    told.push(error);
                }
            }
        }
        told
    }

    /// Answers when all processes serve, and the gateway knows what each of them serves: it begins
    /// without those that are late, and answers 503 for whatever they may have.
    pub async fn all_ready(&self) {
        join_all(self.places.iter().map(|place| self.ready(place))).await;
        let client = Client::new(self.address());
        until_within(START, "the gateway knows every service", async || {
            let asked = client.request(http::Method::GET, "/v1/nobody-serves-this").try_send();
            (asked.await.ok()?.status == 404).then_some(())
        })
        .await;
    }

    /// Answers when the process says that it serves.
    pub async fn ready(&self, place: &Place) {
        let client = Client::new(format!("http://{}", place.internal));
        until_within(START, &format!("{} is ready", place.name), async || {
            let asked = client.request(http::Method::GET, "/readyz").try_send();
            let asked = self.env.timeout(Duration::from_secs(2), asked).await?.ok()?;
            (asked.status == 200).then_some(())
        })
        .await;
    }

    pub fn place(&self, name: &str) -> &Place {
        let found = self.places.iter().find(|place| place.name == name);
        found.unwrap_or_else(|| panic!("the rows name places that there are: {name}"))
    }

    pub fn of(&self, service: &str) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(move |place| place.service == service)
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.place("gateway-1").address)
    }

    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// The databases, past every wire.
    pub fn databases(&self) -> Servers {
        let told = Servers::each(|service| {
            wires::with_database(&self.postgres, &format!("{}_{service}", self.prefix))
        });
        told.expect("the server's address was read before")
    }

    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The owner's key, made at the first call.
    pub async fn key(&self) -> &str {
        let make = async || {
            let log = self.folder.path().join("identity-1.out");
            let password = testkit::until("identity prints the staff password", async || {
                let printed = std::fs::read_to_string(&log).ok()?;
                let (_, rest) = printed.lines().find_map(|line| line.split_once("password: "))?;
                Some(rest.split_whitespace().next()?.to_owned())
            })
            .await;
            Staff::with_printed(&Client::new(self.address()), &password).await.key
        };
        self.staff.get_or_init(make).await
    }

    pub fn log_tail(&self, place: &Place) -> String {
        let log = std::fs::read(self.folder.path().join(format!("{}.err", place.name)));
        let text = String::from_utf8_lossy(&log.unwrap_or_default()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn bugs(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.bugs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.running().clear();
        if let Some(kept) = std::env::var_os("MERCAT_FAULTS_KEEP_LOGS") {
            let _ = keep_logs(self.folder.path(), &Path::new(&kept).join(&self.prefix));
        }
        let (postgres, prefix) = (self.postgres.clone(), self.prefix.clone());
        // A runtime cannot be waited for from inside of itself.
        let work = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            for service in OWNERS {
                // What stays goes with the server.
                let _ = runtime.block_on(unprovision(&postgres, &format!("{prefix}_{service}")));
            }
        });
        let _ = work.join();
    }
}

fn keep_logs(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)?.flatten().filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
