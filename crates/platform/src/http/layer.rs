//! What happens around every handler, in one function instead of ten layers: request id, path
//! check, authentication, permission, deadline, body limits, idempotent replay, panics, problems,
//! metrics and the access log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use ahash::AHashMap;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http_body::Body as _;
use kernel::ErrorKind;
use tracing::Instrument;

use super::module::ModuleDeps;
use super::{DEADLINE_HEADER, Problem, REQUEST_ID_HEADER, RouteInfo, body, extract, path, replay};
use crate::context::{Context, Deadline, Principal, TraceParent};
use crate::idempotency::IdempotencyKey;
use crate::telemetry::RouteMetrics;

/// An answer that takes longer is worth a line in the log.
const SLOW: Duration = Duration::from_secs(1);

/// What extractors find in the request.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) context: Context,
    pub(super) once: Option<IdempotencyKey>,
    pub(super) route: Arc<RouteInfo>,
}

/// Every route by path template, then method.
pub(super) struct Table(AHashMap<String, PathEntry>);

struct PathEntry {
    allow: HeaderValue,
    routes: Vec<(Arc<RouteInfo>, RouteMetrics)>,
}

impl Table {
    pub(super) fn new(service: &'static str, routes: &[RouteInfo]) -> Self {
        let mut paths: AHashMap<String, PathEntry> = AHashMap::new();
        for route in routes {
            let metrics = RouteMetrics::new(service, &route.method, &route.path);
            let entry = paths.entry(route.path.clone()).or_insert_with(|| PathEntry {
                allow: HeaderValue::from_static(""),
                routes: Vec::new(),
            });
            entry.routes.push((Arc::new(route.clone()), metrics));
        }
        for entry in paths.values_mut() {
            entry.allow = super::allow(entry.routes.iter().map(|route| &route.0.method));
        }
        Self(paths)
    }

    fn find(&self, request: &Request) -> Result<&(Arc<RouteInfo>, RouteMetrics), Problem> {
        let entry = request
            .extensions()
            .get::<MatchedPath>()
            .and_then(|matched| self.0.get(matched.as_str()))
            .ok_or_else(|| {
                Problem::new(
                    ErrorKind::NotFound,
                    "no-such-route",
                    "Nothing is served at this path.",
                )
            })?;
        let wanted = |wanted: &Method| entry.routes.iter().find(|r| r.0.method == *wanted);
        let method = request.method();
        wanted(method)
            .or_else(|| if *method == Method::HEAD { wanted(&Method::GET) } else { None })
            .ok_or_else(|| {
                Problem::with_status(
                    ::http::StatusCode::METHOD_NOT_ALLOWED,
                    "method-not-allowed",
                    "This path does not know the method; the Allow header tells those it knows.",
                )
                .header(header::ALLOW, entry.allow.clone())
            })
    }
}

pub(super) struct Layer {
    service: &'static str,
    deps: ModuleDeps,
    table: Arc<Table>,
}

impl Layer {
    pub(super) fn new(service: &'static str, deps: ModuleDeps, table: Arc<Table>) -> Self {
        Self { service, deps, table }
    }
}

/// The one middleware.
pub(super) async fn handle(
    State(layer): State<Arc<Layer>>,
    mut request: Request,
    next: Next,
) -> Response {
    let env = &layer.deps.env;
    let started = env.clock.monotonic();
    let id = request_id(request.headers(), env);
    let found = path::check(request.uri().path()).and_then(|()| layer.table.find(&request));
    let (route, metrics) = match found {
        Ok((route, metrics)) => (route, metrics),
        Err(problem) => {
            tracing::debug!(request_id = %id, slug = problem.slug(), "refused");
            return finish(problem.into_response(), &id);
        }
    };
    let span = tracing::info_span!(
        "http",
        service = layer.service,
        method = route.method.as_str(),
        route = route.path,
        request_id = &*id,
        trace_id = tracing::field::Empty,
        otel.name = tracing::field::Empty,
        otel.kind = tracing::field::Empty,
    );
    crate::telemetry::name_request(&span, route.method.as_str(), &route.path);
    let trace = crate::telemetry::join(&span, trace_of(request.headers()), env);
    let deadline = Deadline::after(env, time_given(request.headers(), route.deadline));
    let context = Context {
        principal: Principal::Anonymous,
        deadline,
        correlation: id.clone(),
        trace,
        causation: None,
        locales: extract::locales(request.headers()),
    };
    request.extensions_mut().insert(Call { context, once: None, route: route.clone() });
    let work = serve(&layer, route, request, next).instrument(span.clone());
    let outcome = env.timeout(deadline.remaining(env), work).await;
    let response =
        outcome.unwrap_or_else(|| Err(too_late())).unwrap_or_else(Problem::into_response);
    let response = finish(response, &id);
    let took = env.clock.monotonic().saturating_sub(started);
    metrics.record(response.status(), took);
    span.in_scope(|| log(response.status().as_u16(), took));
    response
}

fn log(status: u16, took: Duration) {
    let took_us = took.as_micros() as u64;
    if status >= 500 || took > SLOW {
        tracing::warn!(status, took_us, "answered");
    } else {
        tracing::debug!(status, took_us, "answered");
    }
}

async fn serve(
    layer: &Arc<Layer>,
    route: &Arc<RouteInfo>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let env = &layer.deps.env;
    let (mut parts, content) = request.into_parts();
    let principal = if route.ignores_credentials {
        Principal::Anonymous
    } else {
        layer.deps.authenticator.authenticate(&parts.headers).await?
    };
    route.access.check(&principal)?;
    if content.size_hint().lower() > route.body_limit {
        return Err(body::too_large(route.body_limit));
    }
    let mut content = if content.is_end_stream() {
        content
    } else {
        let guarded = body::Guarded::new(content, route.body_limit, body::IDLE_TIMEOUT, env);
        axum::body::Body::new(guarded)
    };
    let mut once = None;
    if let Some(key) = replay::key_of(&parts.headers, route)? {
        let bytes = body::collect(content).await?;
        let key = replay::identity(&principal, route, key, &parts, &bytes);
        if let Some(answer) = replay::find(layer.deps.executor.store(), &key).await? {
            return Ok(answer);
        }
        content = axum::body::Body::from(bytes);
        once = Some(key);
    }
    if let Some(call) = parts.extensions.get_mut::<Call>() {
        call.context.principal = principal;
        call.once = once;
    }
    let request = Request::from_parts(parts, content);
    if route.writes() {
        detached(env, next, request).await
    } else {
        caught(next.run(request)).await
    }
}

/// A write goes on when its caller goes away or its deadline passes: half-done work is worse.
async fn detached(
    env: &crate::env::Env,
    next: Next,
    request: Request,
) -> Result<Response, Problem> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let span = tracing::Span::current();
    let work = async move {
        // Nobody listens when the caller has gone; the work is done all the same.
        let _ = sender.send(caught(next.run(request)).await);
    };
    env.spawn("http handler", work.instrument(span));
    match receiver.await {
        Ok(outcome) => outcome,
        Err(_) => Err(Problem::new(
            ErrorKind::Unavailable,
            "shutting-down",
            "The service is shutting down.",
        )),
    }
}

async fn caught(run: impl Future<Output = Response>) -> Result<Response, Problem> {
    match AssertUnwindSafe(run).catch_unwind().await {
        Ok(response) => Ok(response),
        Err(_) => Err(Problem::internal(&"a handler panicked")),
    }
}

pub(super) fn too_late() -> Problem {
    crate::sometimes::reached("a request ran out of time");
    Problem::new(
        ErrorKind::DeadlineExceeded,
        "deadline-exceeded",
        "The answer was not known in time. A write may still take effect: repeat it with the same \
         Idempotency-Key, or look.",
    )
}

/// Every answer names its request; every problem does in its body too.
fn finish(mut response: Response, id: &Arc<str>) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        metrics::counter!("http_problems_total", "slug" => problem.slug().to_owned()).increment(1);
        response = problem.with_request_id(id.clone()).into_response();
        response.extensions_mut().remove::<Problem>();
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
    }
    response
}

/// The caller's own name for the request when it is a sane one, else a fresh one.
pub(super) fn request_id(headers: &HeaderMap, env: &crate::env::Env) -> Arc<str> {
    let given = headers.get(REQUEST_ID_HEADER).and_then(|value| value.to_str().ok());
    match given {
        Some(id) if (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()) => {
            id.into()
        }
        _ => env.uuid().to_string().into(),
    }
}

fn trace_of(headers: &HeaderMap) -> Option<TraceParent> {
    headers.get("traceparent")?.to_str().ok()?.parse().ok()
}

/// The route's deadline, or what the gateway says is left of it.
fn time_given(headers: &HeaderMap, most: Duration) -> Duration {
    headers
        .get(DEADLINE_HEADER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map_or(most, |left| most.min(Duration::from_millis(left)))
}
