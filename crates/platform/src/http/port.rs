//! The one port of a service's process: REST, gRPC with health and reflection, and what the gateway
//! asks about its routes.
//!
//! Who may set our headers and call gRPC: a peer with a certificate of our authority (mutual TLS),
//! or one whose address is in a trusted network. Anybody else may only use REST, with tokens, as a
//! stranger whose address we know ourselves.

use std::net::SocketAddr;
use std::sync::Arc;

use ::http::{HeaderValue, StatusCode, header};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tonic::Status;
use tonic::service::Routes;
use tower::ServiceExt;

use super::body::{Guarded, IDLE_TIMEOUT};
use super::connection::Certified;
use super::remote::{MODULE_PATH, description};
use super::{CLIENT_HEADER, Module, Network, inside};
use crate::env::Env;
use crate::peer::ALIVE_PATH;
use crate::rpc::{self, MAX_MESSAGE};
use crate::shutdown::Shutdown;

/// What is served on a service's port.
pub struct ServicePort {
    pub env: Env,
    pub module: Module,
    /// Its gRPC side, when it has one.
    pub grpc: Option<Routes>,
    /// The contracts as an encoded `FileDescriptorSet`, for reflection.
    pub descriptors: &'static [u8],
    /// Health follows it.
    pub shutdown: Shutdown,
    /// Where the gateway and the other services call from; see [`inner_networks`].
    pub trusted: Vec<Network>,
}

/// Loopback, and the ranges of private networks (RFC 1918, RFC 6598, RFC 4193): what a cluster
/// gives its processes.
pub fn inner_networks() -> Vec<Network> {
    let ranges = [
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
    ];
    ranges.iter().map(|text| text.parse().expect("our own networks are networks")).collect()
}

/// One router for all of it, to be given to [`super::serve_tls`]. Fails when the descriptors cannot
/// be read.
pub fn service_router(port: ServicePort) -> Result<Router, String> {
    let ServicePort { env, module, grpc, descriptors, shutdown, trusted } = port;
    let described = get(description(&module)?);
    let alive = get(async || StatusCode::NO_CONTENT);
    let rest = module.router.route(MODULE_PATH, described).route(ALIVE_PATH, alive);
    let routes = rpc::operated(&env, module.name, grpc, descriptors, &shutdown)?;
    let parts = Arc::new(Parts {
        env,
        rest: rest.with_state(()),
        grpc: routes.into_axum_router().with_state(()),
        trusted,
    });
    Ok(Router::new().fallback(dispatch).with_state(parts))
}

struct Parts {
    env: Env,
    rest: Router,
    grpc: Router,
    trusted: Vec<Network>,
}

impl Parts {
    /// A request without an address came in process.
    fn trusts(&self, request: &Request) -> Result<(), Option<SocketAddr>> {
        if request.extensions().get::<Certified>().is_some() {
            return Ok(());
        }
        match request.extensions().get::<ConnectInfo<SocketAddr>>() {
            None => Ok(()),
            Some(ConnectInfo(peer)) => {
                let is_trusted = self.trusted.iter().any(|network| network.contains(peer.ip()));
                if is_trusted { Ok(()) } else { Err(Some(*peer)) }
            }
        }
    }
}

async fn dispatch(State(parts): State<Arc<Parts>>, mut request: Request) -> Response {
    let trust = parts.trusts(&request);
    if is_grpc(&request) {
        return match trust {
            Ok(()) => grpc(&parts, request).await,
            Err(_) => refused(),
        };
    }
    if let Err(peer) = trust {
        inside::strip_internal(request.headers_mut());
        let client = peer.map(|peer| Network::of_client(peer.ip()).to_string());
        if let Some(value) = client.and_then(|text| HeaderValue::try_from(text).ok()) {
            request.headers_mut().insert(CLIENT_HEADER, value);
        }
    }
    let Ok(response) = parts.rest.clone().oneshot(request).await;
    response
}

async fn grpc(parts: &Parts, request: Request) -> Response {
    let request = request.map(|body| {
        let most = MAX_MESSAGE as u64 + 1024;
        Body::new(Guarded::new(body, most, IDLE_TIMEOUT, &parts.env))
    });
    let Ok(response) = parts.grpc.clone().oneshot(request).await;
    response
}

/// By content type and by the shape of the path, `/package.Service/Method`: a client of REST may
/// claim any content type, and is told about it there.
fn is_grpc(request: &Request) -> bool {
    let media_type = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_claimed = media_type.is_some_and(|value| value.starts_with(b"application/grpc"));
    let mut parts = request.uri().path().split('/').skip(1);
    let service = parts.next().unwrap_or_default();
    let is_named = service.contains('.') && !service.starts_with('.');
    is_claimed && is_named && parts.count() == 1
}

fn refused() -> Response {
    let detail = "gRPC is for our own processes: by mutual TLS, or from a trusted network";
    let response = Status::permission_denied(detail).into_http::<Body>();
    response.into_response()
}
