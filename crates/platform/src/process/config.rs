//! What a service that runs as a process of its own has to be told, whichever service it is.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::BrokerConfig;
use crate::config::Secret;
use crate::http::{Network, inner_networks};
use crate::telemetry::TelemetryConfig;
use crate::tls::TlsConfig;

/// The sections that all processes share.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProcessConfig {
    /// Where REST and gRPC are served.
    pub listen: SocketAddr,
    /// For what belongs in no database, such as the memory of a test provider.
    pub data: PathBuf,
    /// How long requests in flight may take to end at shutdown, in seconds.
    pub drain_seconds: u64,
    pub telemetry: TelemetryConfig,
    pub database: DatabaseConfig,
    pub broker: BrokerConfig,
    /// Where the other services are: `catalog = "http://catalog:8080"`, or several addresses with
    /// commas between.
    pub peers: BTreeMap<String, String>,
    pub tokens: TokenConfig,
    /// Certificate of this process and the authority of all of them. Without it the network between
    /// them is trusted.
    pub tls: Option<TlsConfig>,
    /// Where our own processes run: who calls from there may use gRPC and set our headers, and has
    /// no limit of connections. Loopback and the private ranges, unless told otherwise; with nothing
    /// in it, only a certificate of our authority (mutual TLS) opens gRPC.
    pub trusted_networks: Vec<Network>,
}

impl Default for ProcessConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: PathBuf::from("data"),
            drain_seconds: 25,
            telemetry: TelemetryConfig::default(),
            database: DatabaseConfig::default(),
            broker: BrokerConfig::default(),
            peers: BTreeMap::new(),
            tokens: TokenConfig::default(),
            tls: None,
            trusted_networks: inner_networks(),
        }
    }
}

/// `[database]`: the one of the service that is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://role:password@host:port/database?sslmode=verify-full`. `{service}` in it stands
    /// for the service's name.
    pub url: Secret,
    /// Batches beside each other, 1 to 16. More than the server has cores is slower.
    pub lanes: u32,
    /// Connections for reads, 1 to 256.
    pub readers: u32,
    /// How long a start waits for a server that does not answer yet, in seconds.
    pub wait_seconds: u64,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: Secret::default(), lanes: 2, readers: 8, wait_seconds: 60 }
    }
}

/// `[tokens]`: what access tokens say that are accepted here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenConfig {
    pub issuer: String,
    pub audience: String,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self { issuer: "mercat".to_owned(), audience: "mercat".to_owned() }
    }
}

impl DatabaseConfig {
    /// Which key is wrong, but for the address, and what it may hold.
    pub fn check(&self) -> Result<(), String> {
        let rules = [("lanes", self.lanes, 1..=16), ("readers", self.readers, 1..=256)];
        for (key, value, allowed) in rules {
            if !allowed.contains(&value) {
                let (from, to) = allowed.into_inner();
                return Err(format!("database.{key} is {value}; it may be {from} to {to}"));
            }
        }
        Ok(())
    }

    /// The address for one service, or which key is wrong and what it may hold.
    pub fn url_of(&self, service: &str) -> Result<String, String> {
        self.check()?;
        let url = self.url.expose();
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(
                "database.url must be postgres://role:password@host:port/database; a file \
                        that holds it may be named by database.url_file"
                    .to_owned(),
            );
        }
        Ok(url.replace("{service}", service))
    }
}

impl ProcessConfig {
    /// What a start would refuse before it reaches for anybody: which key is wrong, what it holds
    /// and what it may hold. An address that is not set is none that is wrong.
    pub fn check(&self) -> Result<(), String> {
        self.database.check()?;
        if !self.database.url.is_empty() {
            self.database.url_of("service")?;
        }
        self.broker.check()?;
        for name in self.peers.keys() {
            crate::peer::check(name, &self.peer(name)?, self.tls.is_some())?;
        }
        self.tls.as_ref().map_or(Ok(()), TlsConfig::check)
    }

    /// The addresses of another service.
    pub fn peer(&self, name: &str) -> Result<Vec<String>, String> {
        let listed = self.peers.get(name).map(String::as_str).unwrap_or_default();
        let addresses = listed.split(',').map(str::trim).filter(|address| !address.is_empty());
        let addresses: Vec<String> = addresses.map(str::to_owned).collect();
        if addresses.is_empty() {
            return Err(format!(
                "peers.{name} is not set; it must hold where {name} runs, such as \
                 http://{name}:8080"
            ));
        }
        Ok(addresses)
    }
}
