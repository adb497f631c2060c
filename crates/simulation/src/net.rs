//! What lies between nodes: a request becomes a task of whoever serves it, and on the way there and
//! back it may be late, be lost, or lose its answer. A caller that goes away stops nobody.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use platform::rpc::Channel;
use tokio::sync::oneshot;
use tonic::Status;
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

use crate::core::{Core, Node};
use crate::fault::Fault;

const SLOW: Duration = Duration::from_secs(6);
const USUAL: Duration = Duration::from_millis(2);
/// No answer is longer.
const MOST: usize = 4 << 20;

/// Where a node takes requests.
#[derive(Clone)]
pub struct Door {
    http: Router,
    grpc: Option<tonic::service::Routes>,
}

impl Door {
    pub fn new(http: Router, grpc: Option<tonic::service::Routes>) -> Self {
        // What is served from them costs less afterwards, and each request takes a copy.
        let (http, grpc) = (http.with_state(()), grpc.map(tonic::service::Routes::prepare));
        Self { http, grpc }
    }
}

/// No answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// May it have been done?
    pub was_sent: bool,
}

/// An answer to a request over HTTP.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

#[derive(Clone)]
pub struct Net {
    core: Core,
    doors: Arc<Mutex<Vec<Option<Door>>>>,
    /// The nodes of each service.
    places: Arc<Vec<(&'static str, Vec<Node>)>>,
}

impl Net {
    pub fn new(core: &Core, nodes: usize, places: Vec<(&'static str, Vec<Node>)>) -> Self {
        let doors = Arc::new(Mutex::new(vec![None; nodes]));
        Self { core: core.clone(), doors, places: Arc::new(places) }
    }

    fn doors(&self) -> MutexGuard<'_, Vec<Option<Door>>> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the node takes requests; with `None`, it refuses connections.
    pub fn set(&self, node: Node, door: Option<Door>) {
        let before = std::mem::replace(&mut self.doors()[node], door);
        drop(before);
    }

    pub fn is_open(&self, node: Node) -> bool {
        self.doors()[node].is_some()
    }

    /// A gRPC channel to a service.
    pub fn channel(&self, service: &'static str) -> Channel {
        let net = self.clone();
        BoxCloneSyncService::new(tower::service_fn(move |mut request: Request<_>| {
            let net = net.clone();
            async move {
                request.extensions_mut().clear();
                let serve = |door: Door| async move {
                    let Some(routes) = door.grpc else {
                        return Err(Status::unimplemented("no gRPC"));
                    };
                    routes.oneshot(request).await.map_err(|never| match never {})
                };
                match net.carry(service, serve).await {
                    Ok(outcome) => outcome,
                    Err(Lost { .. }) => Err(Status::unavailable("simulated: no answer")),
                }
            }
        }))
    }

    /// A request over HTTP to a service.
    pub async fn request(
        &self,
        service: &'static str,
        request: Request<Body>,
    ) -> Result<Answer, Lost> {
        self.carry(service, |door| async move {
            let response = door.http.oneshot(request).await.unwrap_or_else(|never| match never {});
            let (parts, body) = response.into_parts();
            let body = axum::body::to_bytes(body, MOST).await.unwrap_or_default();
            Answer { status: parts.status, headers: parts.headers, body }
        })
        .await
    }

    async fn carry<R, F>(
        &self,
        service: &'static str,
        serve: impl FnOnce(Door) -> F,
    ) -> Result<R, Lost>
    where
        R: Send + 'static,
        F: Future<Output = R> + Send + 'static,
    {
        self.travel().await;
        if self.core.strikes(Fault::LostRequest) {
            return self.lose(false).await;
        }
        let Some((node, door)) = self.enter(service) else { return Err(Lost { was_sent: false }) };
        let (sender, receiver) = oneshot::channel();
        let work = serve(door);
        self.core.spawn(node, async move {
            let _ = sender.send(work.await);
        });
        let Ok(answer) = receiver.await else { return Err(Lost { was_sent: true }) };
        if self.core.strikes(Fault::LostAnswer) {
            return self.lose(true).await;
        }
        self.travel().await;
        Ok(answer)
    }

    /// One of the nodes that take requests.
    fn enter(&self, service: &'static str) -> Option<(Node, Door)> {
        let (_, nodes) = self.places.iter().find(|(name, _)| *name == service)?;
        let doors = self.doors();
        let open: Vec<Node> = nodes.iter().copied().filter(|node| doors[*node].is_some()).collect();
        if open.is_empty() {
            return None;
        }
        let node = self.core.draw(|chance| *chance.one_of(&open));
        Some((node, doors[node].clone()?))
    }

    async fn travel(&self) {
        let is_slow = self.core.strikes(Fault::SlowNetwork);
        let pause = self.core.draw(|chance| chance.pause(if is_slow { SLOW } else { USUAL }));
        if !pause.is_zero() {
            self.core.sleep(pause).await;
        }
    }

    /// The caller hears that the connection broke, or nothing at all.
    async fn lose<R>(&self, was_sent: bool) -> Result<R, Lost> {
        if self.core.strikes(Fault::Hang) {
            return pending().await;
        }
        Err(Lost { was_sent })
    }
}
