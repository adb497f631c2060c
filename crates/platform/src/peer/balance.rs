//! Which endpoint takes a request.

use std::sync::Arc;

use ::http::{Request, Response, Uri};
use arc_swap::ArcSwap;
use axum::body::Body;
use hyper::body::Incoming;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::connection::Sender;
use super::endpoint::{Endpoint, Means, State};
use super::supervise::{self, Current};
use super::{PeerConfig, SendError};
use crate::context::Deadline;
use crate::env::Env;
use crate::tls::ClientTls;

/// Connections that may turn out to have ended before a request is given up.
const TRIES: usize = 5;

/// The connections to a peer. Clones share them; they are closed with the last one.
#[derive(Clone)]
pub(crate) struct Peer {
    env: Env,
    config: Arc<PeerConfig>,
    endpoints: Current,
    changed: watch::Receiver<()>,
    resolved: watch::Receiver<bool>,
    _open: Arc<DropGuard>,
}

/// What can be done for a request right now.
enum Choice {
    Use(Lease, Sender),
    /// Somebody is being connected to.
    Wait,
    None(String),
}

/// A request in flight at an endpoint; over when dropped.
pub(crate) struct Lease(Arc<Endpoint>);

impl Lease {
    fn new(endpoint: Arc<Endpoint>) -> Self {
        endpoint.begin();
        Self(endpoint)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Peer {
    /// Starts to connect. An error is one of the configuration.
    pub(crate) fn open(env: &Env, config: PeerConfig) -> Result<Self, String> {
        let origins = config.check()?;
        let tls = match &config.tls {
            Some(tls) if origins.any_tls() => Some(ClientTls::new(env, tls)?),
            _ => None,
        };
        let config = Arc::new(config);
        let (changed, has_changed) = watch::channel(());
        let (resolved, is_resolved) = watch::channel(false);
        let endpoints: Current = Arc::new(ArcSwap::default());
        let closed = CancellationToken::new();
        let names = Arc::new(supervise::SystemNames);
        let means = Means { env: env.clone(), config: config.clone(), tls, names, changed };
        let work = supervise::run(means, origins, endpoints.clone(), resolved, closed.clone());
        env.spawn("peer", work);
        Ok(Self {
            env: env.clone(),
            config,
            endpoints,
            changed: has_changed,
            resolved: is_resolved,
            _open: Arc::new(closed.drop_guard()),
        })
    }

    pub(crate) fn config(&self) -> &PeerConfig {
        &self.config
    }

    /// Sends a request once, to an endpoint that is connected, and waits for the answer's head. The
    /// scheme, the authority and `Host` are the endpoint's. The lease ends with the answer's body.
    pub(crate) async fn send(
        &self,
        mut request: Request<Body>,
        until: Deadline,
    ) -> Result<(Response<Incoming>, Lease), SendError> {
        for _ in 0..TRIES {
            let (lease, mut sender) = self.choose(until).await?;
            address(&mut request, &lease.0)?;
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, lease)),
                Err(mut failed) => match failed.take_message() {
                    None => return Err(SendError::of(self.config.name, failed.error())),
                    // It stands here again, so it is nowhere else. That connection has ended; the
                    // next choice will not be the same one.
                    Some(unsent) => request = unsent,
                },
            }
            tokio::task::yield_now().await;
        }
        Err(SendError::unsent(format!("{}: connections end as soon as used", self.config.name)))
    }

    async fn choose(&self, until: Deadline) -> Result<(Lease, Sender), SendError> {
        let limit = until.remaining(&self.env).min(self.config.connect_timeout);
        let waiting = async {
            let (mut changed, mut resolved) = (self.changed.clone(), self.resolved.clone());
            let _ = resolved.wait_for(|resolved| *resolved).await;
            loop {
                changed.mark_unchanged();
                match self.choice() {
                    Choice::Use(lease, sender) => return Ok((lease, sender)),
                    Choice::None(reason) => return Err(SendError::unsent(reason)),
                    Choice::Wait => {}
                }
                if changed.changed().await.is_err() {
                    return Err(SendError::unsent("the peer is closed"));
                }
            }
        };
        let outcome = self.env.timeout(limit, waiting).await;
        outcome.unwrap_or_else(|| {
            let name = self.config.name;
            Err(SendError::unsent(format!("{name}: no connection in time")))
        })
    }

    /// The power of two choices (Mitzenmacher 2001).
    fn choice(&self) -> Choice {
        let endpoints = self.endpoints.load();
        let mut ready = Vec::new();
        let mut is_connecting = false;
        let mut reason = None;
        for endpoint in endpoints.iter() {
            match endpoint.state() {
                State::Ready(sender) => ready.push((endpoint, sender)),
                State::Connecting => is_connecting = true,
                State::Failed(why) => reason = Some(why),
            }
        }
        let chosen = match ready.len() {
            0 if is_connecting => return Choice::Wait,
            0 => {
                let reason = reason.as_deref().unwrap_or("it has no address");
                return Choice::None(format!("{}: {reason}", self.config.name));
            }
            1 => 0,
            count => self.less_busy(&ready, count),
        };
        let (endpoint, sender) = ready.swap_remove(chosen);
        Choice::Use(Lease::new(endpoint.clone()), sender)
    }

    fn less_busy(&self, ready: &[(&Arc<Endpoint>, Sender)], count: usize) -> usize {
        let [a, b, c, d] = self.env.random::<4>();
        let one = usize::from(u16::from_be_bytes([a, b])) % count;
        let step = 1 + usize::from(u16::from_be_bytes([c, d])) % (count - 1);
        let other = (one + step) % count;
        if ready[other].0.in_flight() < ready[one].0.in_flight() { other } else { one }
    }
}

fn address(request: &mut Request<Body>, endpoint: &Endpoint) -> Result<(), SendError> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri = Uri::builder()
        .scheme(endpoint.origin.scheme.clone())
        .authority(endpoint.origin.authority.clone())
        .path_and_query(path)
        .build()
        .map_err(|error| SendError::unsent(format!("the address cannot be written: {error}")))?;
    request.headers_mut().remove(::http::header::HOST);
    *request.uri_mut() = uri;
    *request.version_mut() = ::http::Version::HTTP_2;
    Ok(())
}
