//! Passes requests on to a service's process: bodies as they come, headers but those of the
//! connection, and the time that is left.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use kernel::ErrorKind;

use crate::context::Deadline;
use crate::env::Env;
use crate::http::layer::{request_id, too_late};
use crate::http::{DEADLINE_HEADER, Problem, REQUEST_ID_HEADER};
use crate::peer::{Lease, Peer, SendError};

/// What a request may take that comes without a deadline.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
/// The service says itself that the time is over; this is for one that says nothing any more.
const GRACE: Duration = Duration::from_millis(500);

/// Headers of one connection (RFC 9110, 7.6.1). `Expect` is answered by whoever reads the body.
const OF_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

pub(super) fn router(env: &Env, peer: Peer) -> Router {
    Router::new().fallback(pass).with_state(Arc::new(Proxy { env: env.clone(), peer }))
}

struct Proxy {
    env: Env,
    peer: Peer,
}

async fn pass(State(proxy): State<Arc<Proxy>>, mut request: Request) -> Response {
    // The service logs the same name that our own answer tells.
    let id = request_id(request.headers(), &proxy.env);
    let value = HeaderValue::from_str(&id).ok();
    if let Some(value) = &value {
        request.headers_mut().insert(REQUEST_ID_HEADER, value.clone());
    }
    match proxy.send(request).await {
        Ok(response) => response,
        Err(problem) => {
            let mut response = problem.with_request_id(id).into_response();
            if let Some(value) = value {
                response.headers_mut().insert(REQUEST_ID_HEADER, value);
            }
            response
        }
    }
}

impl Proxy {
    async fn send(&self, mut request: Request) -> Result<Response, Problem> {
        let method = request.method().clone();
        let left = time_left(request.headers());
        let deadline = Deadline::after(&self.env, left);
        request.extensions_mut().clear();
        let headers = request.headers_mut();
        drop_hops(headers);
        headers.insert(DEADLINE_HEADER, HeaderValue::from(left.as_millis() as u64));
        let work = self.peer.send(request, deadline);
        let outcome = self.env.timeout(left + GRACE, work).await.ok_or_else(too_late)?;
        let (response, lease) = outcome.map_err(|error| self.problem(&method, &error))?;
        let (mut head, body) = response.into_parts();
        drop_hops(&mut head.headers);
        head.extensions.clear();
        Ok(Response::from_parts(head, Body::new(Leased { inner: body, _lease: lease })))
    }

    fn problem(&self, method: &Method, error: &SendError) -> Problem {
        let service = self.peer.config().name;
        let was_sent = if error.was_sent { "yes" } else { "no" };
        metrics::counter!("mercat_proxy_failures_total", "peer" => service, "sent" => was_sent)
            .increment(1);
        if error.was_sent {
            tracing::warn!(service, %method, %error, "an answer was lost");
        } else {
            // That there is no connection is told once, by whoever tries to connect.
            tracing::debug!(service, %method, %error, "not passed on");
        }
        if error.was_sent && !method.is_safe() {
            let detail = "The service went away before it answered. The request may have taken \
                          effect: repeat it with the same Idempotency-Key, or look.";
            return Problem::new(ErrorKind::DeadlineExceeded, "answer-lost", detail);
        }
        let detail = "The service cannot answer right now. Try again shortly.";
        Problem::new(ErrorKind::Unavailable, "service-unavailable", detail)
    }
}

fn time_left(headers: &HeaderMap) -> Duration {
    let told = headers.get(DEADLINE_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
    told.map_or(DEFAULT_DEADLINE, Duration::from_millis)
}

fn drop_hops(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in OF_CONNECTION.iter().chain(&named) {
        headers.remove(name);
    }
}

/// A body that counts as in flight until its end.
struct Leased {
    inner: Incoming,
    _lease: Lease,
}

impl http_body::Body for Leased {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.get_mut().inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
