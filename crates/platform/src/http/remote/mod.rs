//! A service's REST side in another process: its routes are asked for, its requests are passed on.

mod describe;
mod proxy;

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderValue, Request, StatusCode, header};
use axum::body::Body;
use http_body_util::{BodyExt as _, Limited};
use tokio::sync::watch;
use utoipa::openapi::OpenApi;

use super::{Module, RouteInfo};
use crate::context::Deadline;
use crate::env::Env;
use crate::peer::{Peer, PeerConfig};

pub(super) use describe::{MODULE_PATH, description};

/// How long one look at a service's routes may take, and how large they may be.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);
const LARGEST: usize = 16 * 1024 * 1024;
/// Between two looks for a service that is not there yet.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Debug)]
pub struct RemoteConfig {
    pub peer: PeerConfig,
    /// How long the start waits for the service. One that is still away then, or that tells what
    /// cannot be read, is looked for further on, and its routes are answered 503 meanwhile.
    pub wait: Duration,
    /// How soon changed routes of the service are known.
    pub refresh_every: Duration,
}

impl RemoteConfig {
    pub fn new(peer: PeerConfig) -> Self {
        Self { peer, wait: Duration::from_secs(3), refresh_every: Duration::from_secs(5) }
    }
}

/// What a service said of its routes.
#[derive(Clone)]
pub struct Described {
    pub routes: Arc<[RouteInfo]>,
    pub openapi: Arc<OpenApi>,
    /// False: the service was never reached, and what routes it has is not known.
    pub is_known: bool,
}

impl std::fmt::Debug for Described {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Described({} routes, is_known: {})", self.routes.len(), self.is_known)
    }
}

/// What a service says of its routes, as it changes.
#[derive(Clone, Debug)]
pub struct Changes(watch::Receiver<Arc<Described>>);

impl Changes {
    /// Completes at the next change; `None` when there will be none.
    pub async fn next(&mut self) -> Option<()> {
        self.0.changed().await.ok()
    }

    pub fn current(&self) -> Arc<Described> {
        self.0.borrow().clone()
    }
}

/// A service in another process as a [`Module`]: its router passes requests on, with what is left
/// of their time ([`super::DEADLINE_HEADER`]), and [`Module::changes`] tells of a new version.
///
/// Waits for the service, no longer than the configuration says. An error is one of the
/// configuration.
pub async fn remote_module(env: &Env, config: RemoteConfig) -> Result<Module, String> {
    let name = config.peer.name;
    let peer = Peer::open(env, config.peer)?;
    let mut source = Source { env: env.clone(), peer: peer.clone(), tag: None };
    let described = source.first(config.wait).await;
    let (sender, receiver) = watch::channel(Arc::new(described.clone()));
    env.spawn("routes of a service", source.follow(sender, config.refresh_every));
    Ok(Module {
        name,
        router: proxy::router(env, peer),
        openapi: described.openapi,
        routes: described.routes,
        authenticator: None,
        changes: Some(Changes(receiver)),
    })
}

/// Why a service's routes are not known.
enum Ignorance {
    Away(String),
    /// It answers, and will answer the same until it is another version.
    Unreadable(String),
}

impl Ignorance {
    fn away(error: impl std::fmt::Display) -> Self {
        Self::Away(error.to_string())
    }

    fn reason(self) -> String {
        match self {
            Self::Away(reason) | Self::Unreadable(reason) => reason,
        }
    }
}

/// Where a service's routes are learnt.
struct Source {
    env: Env,
    peer: Peer,
    /// Of what is known already.
    tag: Option<HeaderValue>,
}

impl Source {
    async fn first(&mut self, wait: Duration) -> Described {
        let service = self.peer.config().name;
        let until = Deadline::after(&self.env, wait);
        let mut is_told = false;
        loop {
            let limit = until.remaining(&self.env).clamp(PAUSE, ASK_TIMEOUT);
            let (is_final, reason) = match self.ask(limit).await {
                Ok(Some(described)) => return described,
                Ok(None) => (false, "it did not tell its routes".to_owned()),
                Err(error) => (matches!(error, Ignorance::Unreadable(_)), error.reason()),
            };
            if is_final || until.has_passed(&self.env) {
                tracing::error!(
                    service,
                    reason,
                    "the service does not tell its routes; they are answered 503 until it does"
                );
                let (routes, openapi) = (Arc::default(), Arc::new(OpenApi::default()));
                return Described { routes, openapi, is_known: false };
            }
            if !is_told {
                is_told = true;
                tracing::info!(service, reason, "waiting for the service to tell its routes");
            }
            self.env.sleep(PAUSE).await;
        }
    }

    /// Until nobody is interested any more. While the service is away, what it said last counts.
    async fn follow(mut self, sender: watch::Sender<Arc<Described>>, every: Duration) {
        let service = self.peer.config().name;
        let mut is_away = false;
        loop {
            let pause = if sender.borrow().is_known { every } else { PAUSE.min(every) };
            tokio::select! {
                biased;
                () = sender.closed() => return,
                () = self.env.sleep(pause) => {}
            }
            match self.ask(ASK_TIMEOUT).await {
                Ok(Some(described)) => {
                    tracing::info!(service, routes = described.routes.len(), "routes are known");
                    sender.send_replace(Arc::new(described));
                    is_away = false;
                }
                Ok(None) => is_away = false,
                Err(_) if is_away => {}
                Err(error) => {
                    let reason = error.reason();
                    tracing::warn!(service, reason, "the service does not tell its routes");
                    is_away = true;
                }
            }
        }
    }

    /// `None`: nothing new.
    async fn ask(&mut self, limit: Duration) -> Result<Option<Described>, Ignorance> {
        let until = Deadline::after(&self.env, limit);
        let answer = self.env.clone();
        answer
            .timeout(limit, self.ask_until(until))
            .await
            .unwrap_or_else(|| Err(Ignorance::away("no answer in time")))
    }

    async fn ask_until(&mut self, until: Deadline) -> Result<Option<Described>, Ignorance> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = ::http::Uri::from_static(MODULE_PATH);
        if let Some(tag) = &self.tag {
            request.headers_mut().insert(header::IF_NONE_MATCH, tag.clone());
        }
        let answer = self.peer.send(request, until).await;
        let (response, _lease) = answer.map_err(Ignorance::away)?;
        match response.status() {
            StatusCode::NOT_MODIFIED => return Ok(None),
            StatusCode::OK => {}
            status => {
                return Err(Ignorance::Away(format!("{MODULE_PATH} is answered {status}")));
            }
        }
        let tag = response.headers().get(header::ETAG).cloned();
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let bytes = body.map_err(Ignorance::away)?.to_bytes();
        let described = describe::read(self.peer.config().name, &bytes);
        let described = described.map_err(Ignorance::Unreadable)?;
        self.tag = tag;
        Ok(Some(described))
    }
}
