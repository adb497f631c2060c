//! Another process of ours, as several addresses that do the same: one HTTP/2 connection to each,
//! kept alive, and each request on one of two picked at random: that with fewer in flight.
//!
//! This layer knows what was sent: a request that was certainly not is tried at the next address,
//! and whoever asked is told which of the two it was. It never sends a request twice.

mod address;
mod balance;
mod connection;
mod endpoint;
mod failure;
mod supervise;

use std::time::Duration;

pub use address::Endpoints;
pub(crate) use balance::{Lease, Peer};
pub(crate) use connection::ALIVE_PATH;
pub(crate) use endpoint::jittered;
pub(crate) use failure::SendError;

use crate::tls::TlsConfig;

/// How a peer is reached. [`PeerConfig::new`] has what suits processes in one network.
#[derive(Clone, Debug)]
pub struct PeerConfig {
    /// Names the peer in logs, metrics and errors.
    pub name: &'static str,
    /// Such as `http://10.0.0.7:8080` or `https://catalog.internal:8080`. All addresses of a host
    /// name count, and it is resolved again.
    pub endpoints: Vec<String>,
    /// Needed for `https`.
    pub tls: Option<TlsConfig>,
    pub connect_timeout: Duration,
    pub resolve_every: Duration,
    /// While a request is in flight and nothing comes, a PING is sent so often …
    pub ping_every: Duration,
    /// … and the peer is dead when none is answered for so long.
    pub ping_timeout: Duration,
    /// The pause after a connection failed: it doubles from the first to the second.
    pub backoff: (Duration, Duration),
    /// Calls in flight; further ones wait.
    pub max_in_flight: usize,
}

/// Says which endpoint is wrong, what it holds and what it may hold.
pub(crate) fn check(name: &str, endpoints: &[String], has_tls: bool) -> Result<Endpoints, String> {
    let endpoints = Endpoints::parse(name, endpoints)?;
    if endpoints.any_tls() && !has_tls {
        return Err(format!("peers.{name} has an https endpoint, and [tls] is empty"));
    }
    Ok(endpoints)
}

impl PeerConfig {
    pub fn new(name: &'static str, endpoints: Vec<String>) -> Self {
        Self {
            name,
            endpoints,
            tls: None,
            connect_timeout: Duration::from_secs(1),
            resolve_every: Duration::from_secs(5),
            ping_every: Duration::from_secs(1),
            ping_timeout: Duration::from_secs(2),
            backoff: (Duration::from_millis(50), Duration::from_secs(1)),
            max_in_flight: 1_000,
        }
    }

    /// Says which endpoint is wrong, what it holds and what it may hold.
    pub fn check(&self) -> Result<Endpoints, String> {
        check(self.name, &self.endpoints, self.tls.is_some())
    }
}
