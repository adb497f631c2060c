//! What happens to a request before a service sees it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, header};
use kernel::ErrorKind;
use platform::Env;
use platform::auth::Authenticator;
use platform::http::{Problem, RouteInfo, check_path};
use platform::telemetry::of_passing;
use tower::ServiceExt;
use tracing::{Instrument as _, Span};

use crate::routes::{Found, Table, Upstream};
use crate::{headers, limit};

pub(crate) struct Edge {
    pub(crate) env: Env,
    pub(crate) authenticator: Arc<Authenticator>,
    /// Replaced when a service's routes are others.
    pub(crate) table: ArcSwap<Table>,
}

/// Finds the route, checks the caller, and hands over. Every answer of ours is a problem with a
/// request id, as the services' are.
pub(crate) async fn handle(State(edge): State<Arc<Edge>>, mut request: Request) -> Response {
    headers::strip(request.headers_mut());
    if let Some(limit::Client(network)) = request.extensions().get().copied() {
        let value = HeaderValue::try_from(network.to_string()).expect("digits, dots and colons");
        request.headers_mut().insert(platform::http::CLIENT_HEADER, value);
    }
    let (parts, body) = request.into_parts();
    match admit(&edge, &parts).await {
        Ok((route, upstream)) => {
            let mut request = Request::from_parts(parts, body);
            let mut span = Span::none();
            if upstream.is_remote {
                let headers = request.headers_mut();
                let left = route.deadline.as_millis() as u64;
                headers.insert(platform::http::DEADLINE_HEADER, left.into());
                // In one process, the service's own span is the first.
                span = of_passing(route.method.as_str(), &route.path, headers);
            }
            harden(forward(upstream, request).instrument(span).await).await
        }
        Err(problem) => refuse(&edge.env, problem).await,
    }
}

/// An answer of ours that names its request.
pub(crate) async fn refuse(env: &Env, problem: Problem) -> Response {
    let id: Arc<str> = env.uuid().to_string().into();
    let mut response = problem.with_request_id(id.clone()).into_response();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(platform::http::REQUEST_ID_HEADER, value);
    }
    harden(response).await
}

async fn admit(edge: &Edge, request: &Parts) -> Result<(Arc<RouteInfo>, Upstream), Problem> {
    check_path(request.uri.path())?;
    let found = edge.table.load().find(&request.method, request.uri.path());
    let (route, upstream) = match found {
        Found::Route(route, upstream) => (route, upstream),
        Found::OtherMethods(allow) => {
            let detail =
                "This path does not know the method; the Allow header tells those it knows.";
            let status = http::StatusCode::METHOD_NOT_ALLOWED;
            let problem = Problem::with_status(status, "method-not-allowed", detail);
            return Err(problem.header(header::ALLOW, allow));
        }
        Found::Nothing { is_certain: false } => {
            let detail = "A service that may serve this path is not there yet. Try again shortly.";
            return Err(Problem::new(ErrorKind::Unavailable, "service-unavailable", detail));
        }
        Found::Nothing { is_certain: true } => {
            let detail = "Nothing is served at this path; /openapi.json lists what is.";
            return Err(Problem::new(ErrorKind::NotFound, "no-such-route", detail));
        }
    };
    if !route.ignores_credentials {
        let principal = edge.authenticator.authenticate(&request.headers).await?;
        route.access.check(&principal)?;
    }
    Ok((route, upstream))
}

/// The service's router is called with the request, or the one that passes it on to the service's
/// process. Extensions stay behind, so that nothing reaches a service that would not travel over a
/// wire.
async fn forward(upstream: Upstream, mut request: Request) -> Response {
    request.extensions_mut().clear();
    match upstream.router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// What every answer carries: it is what it says it is, and belongs in no frame.
pub(crate) async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
