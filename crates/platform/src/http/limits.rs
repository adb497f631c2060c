//! What one client may take.

use std::time::Duration;

use super::Network;

/// Bounds of a server. The defaults suit a public port.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// Open connections; one more is answered 503 and closed.
    pub max_connections: usize,
    /// Open connections of one client (see [`Network::of_client`]); one more is answered 503 too.
    pub max_connections_per_peer: usize,
    /// Whom that does not bound: proxies, which bring everybody's requests.
    pub unbounded_peers: Vec<Network>,
    /// From the first byte of a request's head to its last.
    pub header_timeout: Duration,
    /// How long a connection may stay open with nothing asked.
    pub idle_timeout: Duration,
    /// How long requests in flight may take to end once draining began.
    pub drain_timeout: Duration,
    pub max_header_bytes: usize,
    pub max_headers: usize,
    /// Concurrent requests on one HTTP/2 connection.
    pub max_streams: u32,
    /// Streams that a peer opened and reset before we answered (CVE-2023-44487).
    pub max_pending_resets: usize,
    /// Streams that we reset because a peer broke the protocol.
    pub max_local_resets: usize,
}

impl ServerLimits {
    /// For a port that only our own processes reach, which run in `ours`: the gateway brings
    /// everybody's requests over one connection, and adds headers of ours to heads that it took at
    /// their limit.
    pub fn inner(ours: Vec<Network>) -> Self {
        Self {
            unbounded_peers: ours,
            max_header_bytes: 32 * 1024,
            max_headers: 120,
            max_streams: 2_000,
            ..Self::default()
        }
    }
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_connections_per_peer: 2_000,
            unbounded_peers: Vec::new(),
            header_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_mins(1),
            drain_timeout: Duration::from_secs(25),
            max_header_bytes: 16 * 1024,
            max_headers: 100,
            max_streams: 250,
            max_pending_resets: 20,
            max_local_resets: 100,
        }
    }
}
