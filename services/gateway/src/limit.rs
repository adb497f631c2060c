//! How many requests one client may send (OWASP API4, API6): one bucket for everything, and a
//! smaller one for `/v1/auth/…`, where each request costs a password hash.
//!
//! The algorithm is GCRA, by `governor`; its store is bounded and its clock is our port.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use http::{HeaderValue, header};
use kernel::ErrorKind;
use platform::Env;
use platform::http::{Network, Problem, client_of};
use platform::recent::Recent;

use crate::{Config, edge};

const AUTH: &str = "/v1/auth/";

/// Whose request it is, for whoever handles it further on.
#[derive(Clone, Copy)]
pub(crate) struct Client(pub(crate) Network);

pub(crate) struct Limits {
    env: Env,
    general: Option<Limiter>,
    auth: Option<Limiter>,
    exempt: Vec<Network>,
    trusted_proxies: Vec<Network>,
    has_warned: AtomicBool,
}

type Limiter = RateLimiter<Network, Clients, Monotonic, NoOpMiddleware<Nanos>>;

impl Limits {
    pub(crate) fn new(env: &Env, config: &Config) -> Self {
        let limit = &config.rate_limit;
        let limiter = |per_minute, burst| {
            let (Some(rate), Some(burst)) = (NonZeroU32::new(per_minute), NonZeroU32::new(burst))
            else {
                return None;
            };
            let quota = Quota::per_minute(rate).allow_burst(burst);
            let clients = Clients(Mutex::new(Recent::new(limit.clients)));
            Some(RateLimiter::new(quota, clients, Monotonic(env.clone())))
        };
        Self {
            env: env.clone(),
            general: limiter(limit.per_minute, limit.burst),
            auth: limiter(limit.auth_per_minute, limit.auth_burst),
            exempt: limit.exempt.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            has_warned: AtomicBool::new(false),
        }
    }

    /// How long the client has to wait, if at all.
    fn check(&self, client: IpAddr, path: &str) -> Result<(), Duration> {
        let network = Network::of_client(client);
        let is_exempt = self.exempt.iter().any(|exempt| exempt.contains(client));
        let general = self.general.as_ref().filter(|_| !is_exempt);
        let auth = self.auth.as_ref().filter(|_| path.starts_with(AUTH));
        for limiter in general.into_iter().chain(auth) {
            if let Err(refused) = limiter.check_key(&network) {
                return Err(refused.wait_time_from(limiter.clock().now()));
            }
        }
        Ok(())
    }

    /// A proxy that is not trusted makes all its clients one: whoever runs the shop is told once.
    fn warn_of_proxy(&self, peer: IpAddr, request: &Request) {
        let is_near = match peer {
            IpAddr::V4(peer) => peer.is_loopback() || peer.is_private(),
            IpAddr::V6(peer) => peer.is_loopback() || peer.is_unique_local(),
        };
        let is_forwarded = request.headers().contains_key("x-forwarded-for");
        let is_trusted = self.trusted_proxies.iter().any(|net| net.contains(peer));
        if is_near && is_forwarded && !is_trusted && !self.has_warned.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                %peer,
                "X-Forwarded-For is ignored: if this is your proxy, name it in \
                 gateway.trusted_proxies, or all its clients share one rate limit"
            );
        }
    }
}

/// Refuses a client that sends too many requests. A request without a peer came in process.
pub(crate) async fn guard(
    State(limits): State<Arc<Limits>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else {
        return next.run(request).await;
    };
    let peer = peer.ip().to_canonical();
    limits.warn_of_proxy(peer, &request);
    let client = client_of(peer, request.headers(), &limits.trusted_proxies);
    if let Err(wait) = limits.check(client, request.uri().path()) {
        metrics::counter!("http_rate_limited_total").increment(1);
        return edge::refuse(&limits.env, too_many(wait)).await;
    }
    request.extensions_mut().insert(Client(Network::of_client(client)));
    next.run(request).await
}

fn too_many(wait: Duration) -> Problem {
    let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
    let detail = format!("Too many requests from your network; try again in {seconds} s.");
    Problem::new(ErrorKind::TooMany, "rate-limited", detail)
        .header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

struct Monotonic(Env);

impl Clock for Monotonic {
    type Instant = Nanos;
    fn now(&self) -> Nanos {
        Nanos::from(u64::try_from(self.0.clock.monotonic().as_nanos()).unwrap_or(u64::MAX))
    }
}

/// What is remembered of each client.
struct Clients(Mutex<Recent<Network, Nanos>>);

impl StateStore for Clients {
    type Key = Network;
    fn measure_and_replace<T, F, E>(&self, key: &Network, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (outcome, state) = decide(clients.peek(key).copied())?;
        clients.put(*key, state);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RateLimit;

    fn limits(rate_limit: RateLimit) -> (Limits, platform::env::TestEnv) {
        let test = Env::test();
        let config = Config { rate_limit, ..Config::default() };
        (Limits::new(&test.env, &config), test)
    }

    fn small() -> RateLimit {
        RateLimit {
            per_minute: 60,
            burst: 3,
            auth_per_minute: 6,
            auth_burst: 2,
            ..Default::default()
        }
    }

    fn admitted(limits: &Limits, client: &str, path: &str, tries: usize) -> usize {
        let client = client.parse().unwrap();
        (0..tries).filter(|_| limits.check(client, path).is_ok()).count()
    }

    #[test]
    fn a_client_has_a_burst_and_then_its_rate() {
        let (limits, test) = limits(small());
        assert_eq!(admitted(&limits, "203.0.113.9", "/v1/products", 10), 3);
        assert_eq!(admitted(&limits, "203.0.113.10", "/v1/products", 10), 3);
        let wait = limits.check("203.0.113.9".parse().unwrap(), "/v1/products");
        assert_eq!(wait, Err(Duration::from_secs(1)));
        test.advance(Duration::from_secs(1));
        assert_eq!(admitted(&limits, "203.0.113.9", "/v1/products", 10), 1);
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one_client_whatever_address_is_used() {
        let (limits, _) = limits(small());
        let sum: usize =
            (0..50).map(|n| admitted(&limits, &format!("2001:db8::{n:x}"), "/", 1)).sum();
        assert_eq!(sum, 3);
        assert_eq!(admitted(&limits, "2001:db8:0:1::1", "/", 10), 3);
    }

    #[test]
    fn signing_in_is_bounded_for_everybody_and_the_rest_not_for_the_exempt() {
        let (limits, test) = limits(small());
        assert_eq!(admitted(&limits, "127.0.0.1", "/v1/products", 1_000), 1_000);
        assert_eq!(admitted(&limits, "::1", "/v1/products", 1_000), 1_000);
        assert_eq!(admitted(&limits, "127.0.0.1", "/v1/auth/login", 1_000), 2);
        assert_eq!(admitted(&limits, "203.0.113.9", "/v1/auth/login", 1_000), 2);
        test.advance(Duration::from_secs(10));
        assert_eq!(admitted(&limits, "203.0.113.9", "/v1/auth/register", 1_000), 1);
    }

    #[test]
    fn zero_is_no_limit() {
        let (limits, _) = limits(RateLimit { per_minute: 0, auth_per_minute: 0, ..small() });
        assert_eq!(admitted(&limits, "203.0.113.9", "/v1/auth/login", 10_000), 10_000);
    }

    #[test]
    fn a_flood_of_clients_takes_bounded_memory() {
        let (limits, _) = limits(RateLimit { clients: 100, ..small() });
        for n in 0..10_000_u32 {
            let _ = limits.check(IpAddr::from(n.to_be_bytes()), "/v1/auth/login");
        }
        let Clients(clients) = limits.auth.unwrap().into_state_store();
        assert!(clients.into_inner().unwrap().len() <= 100);
    }
}
