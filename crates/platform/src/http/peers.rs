//! How many connections each client has open.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ahash::AHashMap;

use super::{Network, ServerLimits};

type Open = Arc<Mutex<AHashMap<Network, usize>>>;

/// Counts open connections. Holds an entry for each client with one at least, so it is bounded by
/// the number of connections.
#[derive(Clone)]
pub(super) struct Peers {
    open: Open,
    most: usize,
    unbounded: Arc<[Network]>,
}

impl Peers {
    pub(super) fn new(limits: &ServerLimits) -> Self {
        Self {
            open: Arc::default(),
            most: limits.max_connections_per_peer,
            unbounded: limits.unbounded_peers.clone().into(),
        }
    }

    /// A place for one more connection; `None` when the client has as many as it may.
    pub(super) fn place(&self, peer: IpAddr) -> Option<Place> {
        if self.unbounded.iter().any(|network| network.contains(peer)) {
            return Some(Place(None));
        }
        let client = Network::of_client(peer);
        let mut open = lock(&self.open);
        let count = open.entry(client).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Place(Some((self.open.clone(), client))))
    }
}

/// Given back when dropped.
pub(super) struct Place(Option<(Open, Network)>);

impl Drop for Place {
    fn drop(&mut self) {
        let Some((open, client)) = &self.0 else { return };
        let mut open = lock(open);
        if let Some(count) = open.get_mut(client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(client);
            }
        }
    }
}

fn lock(open: &Mutex<AHashMap<Network, usize>>) -> MutexGuard<'_, AHashMap<Network, usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_so_many_places_and_a_proxy_of_ours_any_number() {
        let limits = ServerLimits {
            max_connections_per_peer: 2,
            unbounded_peers: vec!["10.0.0.0/8".parse().unwrap()],
            ..ServerLimits::default()
        };
        let peers = Peers::new(&limits);
        let at = |text: &str| peers.place(text.parse().unwrap());
        let first = at("2001:db8::1").unwrap();
        let _second = at("2001:db8::2").unwrap();
        assert!(at("2001:db8::3").is_none());
        let other = at("203.0.113.9").unwrap();
        drop(first);
        assert!(at("2001:db8::3").is_some());
        let proxied: Vec<_> = (0..100).map(|_| at("10.1.2.3")).collect();
        assert!(proxied.iter().all(Option::is_some));
        drop(other);
        assert_eq!(lock(&peers.open).len(), 1);
    }
}
