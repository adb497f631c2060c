//! Everything that may be configured, one section a service.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use platform::config::{ConfigError, load};
use platform::http::{Network, inner_networks};
use platform::process::{BrokerConfig, DatabaseConfig, ProcessConfig, TokenConfig};
use platform::telemetry::TelemetryConfig;
use platform::tls::TlsConfig;
use serde::{Deserialize, Serialize};

use crate::cli::ServiceName;

/// `mercat.toml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The data folder: one SQLite file a service.
    pub data: PathBuf,
    /// Where the shop is served. Loopback unless told otherwise: put a TLS proxy before it.
    pub listen: SocketAddr,
    /// How long requests in flight may take to end at shutdown, in seconds.
    pub drain_seconds: u64,
    pub store: StoreConfig,
    /// Of services that have processes of their own.
    pub database: DatabaseConfig,
    pub broker: BrokerConfig,
    pub peers: BTreeMap<String, String>,
    pub tls: Option<TlsConfig>,
    /// Where those processes run; see [`ProcessConfig::trusted_networks`].
    pub trusted_networks: Vec<Network>,
    pub telemetry: TelemetryConfig,
    pub gateway: gateway::Config,
    pub identity: identity::Config,
    pub catalog: catalog::Config,
    pub inventory: inventory::Config,
    pub ordering: ordering::Config,
    pub payment: payment::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            drain_seconds: 25,
            store: StoreConfig::default(),
            database: DatabaseConfig::default(),
            broker: BrokerConfig::default(),
            peers: BTreeMap::new(),
            tls: None,
            trusted_networks: inner_networks(),
            telemetry: TelemetryConfig::default(),
            gateway: gateway::Config::default(),
            identity: identity::Config::default(),
            catalog: catalog::Config::default(),
            inventory: inventory::Config::default(),
            ordering: ordering::Config::default(),
            payment: payment::Config::default(),
        }
    }
}

impl Config {
    /// Which of the keys of processes is wrong, what it holds and what it may hold.
    pub fn check_processes(&self) -> Result<(), String> {
        let known = ServiceName::ALL.map(ServiceName::name);
        let known: Vec<_> = known.into_iter().filter(|name| *name != gateway::NAME).collect();
        if let Some(unknown) = self.peers.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("peers.{unknown}: there are {}", known.join(", ")));
        }
        self.process().check()
    }

    /// What a service needs that has a process of its own.
    pub fn process(&self) -> ProcessConfig {
        ProcessConfig {
            listen: self.listen,
            data: self.data.clone(),
            drain_seconds: self.drain_seconds,
            telemetry: self.telemetry.clone(),
            database: self.database.clone(),
            broker: self.broker.clone(),
            peers: self.peers.clone(),
            tokens: TokenConfig {
                issuer: self.identity.issuer.clone(),
                audience: self.identity.audience.clone(),
            },
            tls: self.tls.clone(),
            trusted_networks: self.trusted_networks.clone(),
        }
    }
}

/// `[store]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Page cache of each service's writer, in KiB; each reader has a quarter of it.
    pub cache_kib: u32,
    /// Whether a commit is on the disk before anybody is answered. No file and no variable can say
    /// otherwise, only `mercat up --unsafe-no-sync`.
    #[serde(skip)]
    pub forgoes_sync: bool,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { cache_kib: 4096, forgoes_sync: false }
    }
}

/// `./mercat.toml` if there is one (or `file`, which must exist), the environment, `overrides`.
pub fn read(file: Option<&Path>, overrides: &[(String, String)]) -> Result<Config, ConfigError> {
    let usual = Path::new("mercat.toml");
    let file = file.or_else(|| usual.exists().then_some(usual));
    // What is not UTF-8 can be none of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    load(file, variables.filter(|(name, _)| !RESERVED.contains(&name.as_str())), overrides)
}

/// Variables with our prefix that are not configuration.
const RESERVED: &[&str] = &["MERCAT_TOKEN", "MERCAT_CRASH_AT", "MERCAT_CRASH_IN"];
