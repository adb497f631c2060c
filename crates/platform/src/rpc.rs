//! Calls between services: the same contract in process (direct), in process through generated
//! gRPC (loopback) and over the wire. Every call has a deadline that both sides enforce; the callee
//! runs detached from the caller's task, so that a caller who goes away leaves nothing half done.
//!
//! The callee sees the caller as a service; on whose behalf it calls, if that matters, stands in
//! the message. What travels beside the message: the remaining time, the correlation, the cause
//! and the trace.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use kernel::id::Uuid;
use kernel::{Business, ErrorKind};
use tokio::sync::oneshot;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code, Request, Response, Status};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;
use tracing::Instrument as _;

use crate::context::{Context, Deadline, Principal};
use crate::env::Env;
use crate::telemetry;

/// A caller that names no time gets this much.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a call failed, free of transport.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct CallError {
    pub kind: ErrorKind,
    /// The callee's stable name for it.
    pub slug: String,
    pub detail: String,
}

impl CallError {
    pub fn new(kind: ErrorKind, slug: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind, slug: slug.into(), detail: detail.into() }
    }

    pub fn from_business(error: &impl Business) -> Self {
        Self::new(error.kind(), error.slug(), error.to_string())
    }

    fn deadline(call: &str) -> Self {
        let detail = format!("{call} did not answer before its deadline");
        Self::new(ErrorKind::DeadlineExceeded, "deadline-exceeded", detail)
    }

    fn lost(call: &str) -> Self {
        Self::new(ErrorKind::Unavailable, "call-lost", format!("{call} ended without an answer"))
    }

    /// The effect of the call is not known: it may have happened.
    pub fn is_unknown(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::DeadlineExceeded | ErrorKind::Unavailable | ErrorKind::Internal
        )
    }
}

/// Reads an id of 16 bytes out of a message.
pub fn uuid_from(bytes: &[u8], field: &'static str) -> Result<Uuid, CallError> {
    Uuid::from_slice(bytes).map_err(|_| {
        let detail = format!("{field} must be a UUID of 16 bytes, not {} bytes", bytes.len());
        CallError::new(ErrorKind::Invalid, "invalid-message", detail)
    })
}

/// Same process: the message is moved, nothing is encoded.
pub async fn direct<R, F>(
    env: &Env,
    call: &'static str,
    context: Context,
    serve: impl FnOnce(Context) -> F,
) -> Result<R, CallError>
where
    R: Send + 'static,
    F: Future<Output = Result<R, CallError>> + Send + 'static,
{
    let mut context = context;
    context.principal = Principal::Service { name: "internal".to_owned() };
    context.locales = Vec::new();
    let span = telemetry::of_call(call, &mut context);
    let outcome = detached(env, call, context.deadline, serve(context).instrument(span));
    outcome.await
}

async fn detached<R: Send + 'static>(
    env: &Env,
    call: &'static str,
    deadline: Deadline,
    work: impl Future<Output = Result<R, CallError>> + Send + 'static,
) -> Result<R, CallError> {
    let remaining = deadline.remaining(env);
    if remaining.is_zero() {
        return Err(CallError::deadline(call));
    }
    let (sender, receiver) = oneshot::channel();
    env.spawn(call, async move {
        let _ = sender.send(work.await);
    });
    match env.timeout(remaining, receiver).await {
        None => Err(CallError::deadline(call)),
        Some(Err(_)) => Err(CallError::lost(call)),
        Some(Ok(outcome)) => outcome,
    }
}

/// A way to a gRPC server, in this process or another.
pub type Channel = BoxCloneSyncService<
    http::Request<tonic::body::Body>,
    http::Response<tonic::body::Body>,
    // A named error: with a boxed one, the compiler cannot prove the clients' futures `Send`.
    Status,
>;

/// The generated server in this process. Extensions are stripped on the way in, so that nothing
/// travels that would not travel over the wire.
pub fn loopback(routes: tonic::service::Routes) -> Channel {
    let routes = routes.prepare();
    BoxCloneSyncService::new(tower::service_fn(move |mut request: http::Request<_>| {
        request.extensions_mut().clear();
        let routes = routes.clone();
        async move { routes.oneshot(request).await.map_err(never) }
    }))
}

fn never(never: Infallible) -> Status {
    match never {}
}

/// The client's side of a call over a [`Channel`].
pub async fn unary<Q, R, F>(
    env: &Env,
    call: &'static str,
    mut context: Context,
    message: Q,
    send: impl FnOnce(Request<Q>) -> F,
) -> Result<R, CallError>
where
    F: Future<Output = Result<Response<R>, Status>>,
{
    let remaining = context.remaining(env);
    if remaining.is_zero() {
        return Err(CallError::deadline(call));
    }
    let span = telemetry::of_call(call, &mut context);
    let mut request = Request::new(message);
    request.set_timeout(remaining);
    let metadata = request.metadata_mut();
    put(metadata, CORRELATION, &context.correlation);
    if let Some(cause) = context.causation {
        put(metadata, CAUSATION, &cause.to_string());
    }
    if let Some(trace) = context.trace {
        put(metadata, TRACEPARENT, &trace.to_string());
    }
    match env.timeout(remaining, send(request).instrument(span)).await {
        None => Err(CallError::deadline(call)),
        Some(Ok(response)) => Ok(response.into_inner()),
        Some(Err(status)) => Err(from_status(&status)),
    }
}

/// The server's side: rebuilds the context from metadata and enforces the deadline.
pub async fn serve<Q, R, F>(
    env: &Env,
    call: &'static str,
    request: Request<Q>,
    handle: impl FnOnce(Context, Q) -> F,
) -> Result<Response<R>, Status>
where
    R: Send + 'static,
    F: Future<Output = Result<R, CallError>> + Send + 'static,
{
    let metadata = request.metadata();
    let timeout = get(metadata, "grpc-timeout").and_then(grpc_timeout).unwrap_or(DEFAULT_TIMEOUT);
    let correlation = get(metadata, CORRELATION).filter(|text| text.len() <= 64);
    let mut context = Context {
        principal: Principal::Service { name: "internal".to_owned() },
        deadline: Deadline::after(env, timeout),
        correlation: correlation.map_or_else(|| env.uuid().to_string().into(), Into::into),
        trace: get(metadata, TRACEPARENT).and_then(|text| text.parse().ok()),
        causation: get(metadata, CAUSATION).and_then(|text| text.parse().ok()),
        locales: Vec::new(),
    };
    let deadline = context.deadline;
    let span = telemetry::of_serving(call, &mut context);
    let work = handle(context, request.into_inner()).instrument(span);
    let outcome = detached(env, call, deadline, work).await;
    outcome.map(Response::new).map_err(|error| to_status(&error))
}

const CORRELATION: &str = "mercat-correlation";
const CAUSATION: &str = "mercat-causation";
const TRACEPARENT: &str = "traceparent";
const SLUG: &str = "mercat-slug";

fn put(metadata: &mut MetadataMap, key: &'static str, value: &str) {
    if let Ok(value) = AsciiMetadataValue::try_from(value) {
        metadata.insert(key, value);
    }
}

fn get<'a>(metadata: &'a MetadataMap, key: &str) -> Option<&'a str> {
    metadata.get(key)?.to_str().ok()
}

/// `TimeoutValue TimeoutUnit` of the gRPC protocol: at most 8 digits and one of `H M S m u n`.
fn grpc_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

/// The one place where an [`ErrorKind`] becomes a gRPC code, and back.
const CODES: &[(ErrorKind, Code)] = &[
    (ErrorKind::Invalid, Code::InvalidArgument),
    (ErrorKind::Unauthenticated, Code::Unauthenticated),
    (ErrorKind::Forbidden, Code::PermissionDenied),
    (ErrorKind::NotFound, Code::NotFound),
    (ErrorKind::Conflict, Code::Aborted),
    (ErrorKind::PreconditionFailed, Code::FailedPrecondition),
    (ErrorKind::TooLarge, Code::OutOfRange),
    (ErrorKind::Unprocessable, Code::AlreadyExists),
    (ErrorKind::TooMany, Code::ResourceExhausted),
    (ErrorKind::Unavailable, Code::Unavailable),
    (ErrorKind::DeadlineExceeded, Code::DeadlineExceeded),
    (ErrorKind::Internal, Code::Internal),
];

fn to_status(error: &CallError) -> Status {
    let code = CODES.iter().find(|(kind, _)| *kind == error.kind).map_or(Code::Unknown, |c| c.1);
    let mut metadata = MetadataMap::new();
    put(&mut metadata, SLUG, &error.slug);
    Status::with_metadata(code, error.detail.clone(), metadata)
}

fn from_status(status: &Status) -> CallError {
    let kind =
        CODES.iter().find(|(_, code)| *code == status.code()).map_or(ErrorKind::Internal, |c| c.0);
    let slug = get(status.metadata(), SLUG).unwrap_or("call-failed");
    CallError::new(kind, slug, status.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_survives_the_wire() {
        for (kind, _) in CODES {
            let error = CallError::new(*kind, "out-of-stock", "none left: \u{fc}ber");
            assert_eq!(from_status(&to_status(&error)), error);
        }
    }

    #[test]
    fn grpc_timeouts_are_read_as_specified() {
        assert_eq!(grpc_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(grpc_timeout("99999999n"), Some(Duration::from_nanos(99_999_999)));
        for bad in ["", "m", "1", "1x", "123456789S", "-1S", "1.5S", "ü"] {
            assert_eq!(grpc_timeout(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_call_past_its_deadline_is_not_made() {
        let env = Env::test().env;
        let context = Context::background(&env, "test", Duration::ZERO);
        let outcome = direct(&env, "test.Call", context, |_| async { Ok(()) }).await;
        assert_eq!(outcome.map_err(|e| e.kind), Err(ErrorKind::DeadlineExceeded));
    }

    #[tokio::test]
    async fn a_caller_who_goes_away_does_not_stop_the_callee() {
        let env = Env::test().env;
        let context = Context::background(&env, "test", Duration::from_secs(5));
        let (begun, has_begun) = oneshot::channel();
        let (go_on, may_go_on) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let call = direct(&env, "test.Call", context, |_| async move {
            let _ = begun.send(());
            let _ = may_go_on.await;
            let _ = end.send(());
            Ok(())
        });
        {
            let mut call = Box::pin(call);
            tokio::select! {
                _ = &mut call => panic!("it cannot have ended"),
                begun = has_begun => begun.unwrap(),
            }
        }
        go_on.send(()).unwrap();
        ended.await.unwrap();
    }
}
