//! Keeps the endpoints those that the names resolve to.

use std::collections::BTreeSet;
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

/// What a name stands for now.
#[async_trait::async_trait]
pub(super) trait Names: Send + Sync {
    async fn lookup(&self, host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>>;
}

/// The resolver of the system.
pub(super) struct SystemNames;

#[async_trait::async_trait]
impl Names for SystemNames {
    async fn lookup(&self, host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.take(MOST_ADDRESSES).collect())
    }
}

/// Resolves, starts what is new and lets go of what is gone, until `closed`.
pub(super) async fn run(
    means: Means,
    origins: Endpoints,
    current: Current,
    resolved: tokio::sync::watch::Sender<bool>,
    closed: CancellationToken,
) {
    let mut unknown = BTreeSet::new();
    loop {
        let endpoints = next(&means, &origins, &current.load(), &closed, &mut unknown).await;
        current.store(Arc::new(endpoints));
        resolved.send_replace(true);
        means.changed.send_replace(());
        tokio::select! {
            biased;
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
    unknown: &mut BTreeSet<String>,
) -> Vec<Arc<Endpoint>> {
    let mut wanted: Vec<Arc<Endpoint>> = Vec::new();
    for origin in &origins.0 {
        match resolve(means, origin).await {
            Ok(addresses) => {
                unknown.remove(origin.host());
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
                // One line for each outage, not one for each try.
                if unknown.insert(origin.host().to_owned()) {
                    tracing::warn!(peer = means.config.name, %reason, "a name is not resolved");
                }
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
    match means.env.timeout(RESOLVE_TIMEOUT, means.names.lookup(host, port)).await {
        None => Err(format!("{host}: no answer of the resolver in time")),
        Some(Err(error)) => Err(format!("{host}: {error}")),
        Some(Ok(addresses)) if addresses.is_empty() => Err(format!("{host} has no address")),
        Some(Ok(addresses)) => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use tokio::sync::watch;

    use super::*;
    use crate::env::Env;
    use crate::peer::PeerConfig;

    /// What the test says; nothing is an error of the resolver.
    #[derive(Default)]
    struct Told(Mutex<Option<Vec<u8>>>);

    impl Told {
        fn tell(&self, hosts: Option<&[u8]>) {
            *self.0.lock().unwrap() = hosts.map(<[u8]>::to_vec);
        }
    }

    #[async_trait::async_trait]
    impl Names for Told {
        async fn lookup(&self, _: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
            let hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let hosts = hosts.ok_or_else(|| std::io::Error::other("no resolver"))?;
            Ok(hosts.into_iter().map(|host| ([127, 0, 0, host], port).into()).collect())
        }
    }

    #[tokio::test]
    async fn endpoints_follow_the_name_and_stay_when_it_cannot_be_resolved() {
        let env = Env::test().env;
        let config = PeerConfig::new("ledger", vec!["http://ledger:1".to_owned()]);
        let origins = config.check().unwrap();
        let told = Arc::new(Told::default());
        let (changed, _) = watch::channel(());
        let names = told.clone();
        let means = Means { env, config: Arc::new(config), tls: None, names, changed };
        let closed = CancellationToken::new();
        let hosts = |endpoints: &[Arc<Endpoint>]| -> Vec<u8> {
            endpoints.iter().map(|e| e.address.to_string().as_bytes()[8] - b'0').collect()
        };
        let mut unknown = BTreeSet::new();
        told.tell(Some(&[1, 2]));
        let before = next(&means, &origins, &[], &closed, &mut unknown).await;
        assert_eq!(hosts(&before), [1, 2]);
        told.tell(Some(&[2, 3, 2]));
        let after = next(&means, &origins, &before, &closed, &mut unknown).await;
        assert_eq!(hosts(&after), [2, 3]);
        assert!(Arc::ptr_eq(&before[1], &after[0]), "a connection is kept");
        assert!(before[0].gone.is_cancelled() && !before[1].gone.is_cancelled());
        for nothing in [None, Some(&[][..])] {
            told.tell(nothing);
            let still = next(&means, &origins, &after, &closed, &mut unknown).await;
            assert_eq!(hosts(&still), [2, 3]);
            assert_eq!(unknown.len(), 1, "it is told once");
        }
        told.tell(Some(&[2, 3]));
        next(&means, &origins, &after, &closed, &mut unknown).await;
        assert!(unknown.is_empty(), "the next outage is told again");
        closed.cancel();
        assert!(after.iter().all(|endpoint| endpoint.gone.is_cancelled()));
    }
}
