//! The gateway as a process of its own: the services are others, and it owns no database.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use contracts::auth_source;
use futures_util::future::join_all;
use platform::Env;
use platform::auth::Authenticator;
use platform::host::{Addresses, Host};
use platform::http::{Module, RemoteConfig, ServerLimits, remote_module};
use platform::process::{Peers, ProcessConfig};

use crate::{About, Config, NAME, Needs};

/// Runs it before the services that `[peers]` names, until it is told to end. `ready` runs when it
/// serves.
pub async fn run(
    process: ProcessConfig,
    config: Config,
    about: About,
    files: Option<Router>,
    ready: impl FnOnce(Addresses),
) -> Result<(), String> {
    process.check()?;
    let env = Env::system();
    let host = Host::open(&env, NAME, process.listen, &process.telemetry).await?;
    let process = Arc::new(process);
    let peers = Peers::new(env.clone(), process.clone());
    let authenticator = Arc::new(Authenticator::new(
        env.clone(),
        process.tokens.issuer.clone(),
        process.tokens.audience.clone(),
    ));
    let identity = peers.channel("identity").map_err(|error| error.to_string())?;
    authenticator.connect(auth_source::over(identity, env.clone(), NAME));
    authenticator.task().start(&env, NAME, host.shutdown.clone());
    let modules = modules(&env, &process, &peers).await?;
    let _ = authenticator.refresh().await;
    let limits = ServerLimits {
        drain_timeout: Duration::from_secs(process.drain_seconds),
        max_connections: config.max_connections,
        max_connections_per_peer: config.max_connections_per_client,
        unbounded_peers: config.trusted_proxies.clone(),
        ..ServerLimits::default()
    };
    // Not that of `[tls]`, which is for our own processes: it asks for a certificate of theirs.
    let tls = crate::public_tls(&env, &config)?;
    let needs = Needs { env, config, authenticator, modules, about, files };
    let router = crate::build(needs).map_err(|error| error.to_string())?;
    let addresses = host.addresses()?;
    let ready = || {
        ready(addresses);
        Ok(())
    };
    host.serve(router, tls, limits, ready).await
}

/// The routes of each service that is configured, asked for at once.
async fn modules(env: &Env, process: &ProcessConfig, peers: &Peers) -> Result<Vec<Module>, String> {
    let found = process.peers.keys().map(async |name| {
        // As many as the configuration names, once in a process.
        let name: &'static str = Box::leak(name.clone().into_boxed_str());
        let peer = peers.peer_config(name).map_err(|error| error.to_string())?;
        remote_module(env, RemoteConfig::new(peer)).await
    });
    join_all(found).await.into_iter().collect()
}
