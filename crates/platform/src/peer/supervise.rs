//! Keeps the endpoints those that the names resolve to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use super::address::{Endpoints, Origin};
use super::endpoint::{Endpoint, Means};

pub(super) type Current = Arc<ArcSwap<Vec<Arc<Endpoint>>>>;

/// Addresses of one host name that count.
const MOST_ADDRESSES: usize = 64;
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Resolves, starts what is new and lets go of what is gone, until `closed`.
pub(super) async fn run(
    means: Means,
    origins: Endpoints,
    current: Current,
    resolved: tokio::sync::watch::Sender<bool>,
    closed: CancellationToken,
) {
    loop {
        let endpoints = next(&means, &origins, &current.load(), &closed).await;
        current.store(Arc::new(endpoints));
        resolved.send_replace(true);
        means.changed.send_replace(());
        tokio::select! {
            () = closed.cancelled() => return,
            () = means.env.sleep(means.config.resolve_every) => {}
        }
    }
}

async fn next(
    means: &Means,
    origins: &Endpoints,
    current: &[Arc<Endpoint>],
    closed: &CancellationToken,
) -> Vec<Arc<Endpoint>> {
    let mut wanted: Vec<Arc<Endpoint>> = Vec::new();
    for origin in &origins.0 {
        match resolve(means, origin).await {
            Ok(addresses) => {
                for address in addresses {
                    let same = |e: &&Arc<Endpoint>| e.address == address && e.origin == *origin;
                    if wanted.iter().any(|e| same(&e)) {
                        continue;
                    }
                    let known = current.iter().find(same).cloned();
                    wanted.push(known.unwrap_or_else(|| start(means, origin, address, closed)));
                }
            }
            Err(reason) => {
                tracing::warn!(peer = means.config.name, %reason, "a name was not resolved");
                // Better the addresses of yesterday than none.
                wanted.extend(current.iter().filter(|e| e.origin == *origin).cloned());
            }
        }
    }
    for endpoint in current {
        if !wanted.iter().any(|kept| Arc::ptr_eq(kept, endpoint)) {
            endpoint.gone.cancel();
        }
    }
    wanted
}

fn start(
    means: &Means,
    origin: &Origin,
    address: SocketAddr,
    closed: &CancellationToken,
) -> Arc<Endpoint> {
    let endpoint = Arc::new(Endpoint::new(origin.clone(), address, closed.child_token()));
    means.env.spawn("peer connection", endpoint.clone().run(means.clone()));
    endpoint
}

async fn resolve(means: &Means, origin: &Origin) -> Result<Vec<SocketAddr>, String> {
    let (host, port) = (origin.host(), origin.port);
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let lookup = tokio::net::lookup_host((host, port));
    match means.env.timeout(RESOLVE_TIMEOUT, lookup).await {
        None => Err(format!("{host}: no answer of the resolver in time")),
        Some(Err(error)) => Err(format!("{host}: {error}")),
        Some(Ok(addresses)) => {
            let addresses: Vec<_> = addresses.take(MOST_ADDRESSES).collect();
            if addresses.is_empty() { Err(format!("{host} has no address")) } else { Ok(addresses) }
        }
    }
}
