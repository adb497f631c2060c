//! Calls between services: the same contract in process (direct), in process through generated
//! gRPC (loopback) and over the wire. Every call has a deadline that both sides enforce; the callee
//! runs detached from the caller's task, so that a caller who goes away leaves nothing half done.
//!
//! The callee sees the caller as a service; on whose behalf it calls, if that matters, stands in
//! the message. What travels beside the message: the remaining time, the correlation, the cause
//! and the trace.

mod breaker;
mod budget;
mod error;
mod operated;
mod remote;
mod status;

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use kernel::ErrorKind;
use kernel::id::Uuid;
use tokio::sync::oneshot;
use tonic::{Request, Response, Status};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;
use tracing::Instrument as _;

use crate::context::{Context, Deadline, Principal};
use crate::env::Env;
use crate::telemetry;

use status::{CAUSATION, CORRELATION, TRACEPARENT, from_status, get, grpc_timeout, put, to_status};

pub use crate::peer::PeerConfig;
pub use error::CallError;
pub(crate) use operated::operated;
pub use remote::remote;

/// The largest message that is taken, in bytes.
pub const MAX_MESSAGE: usize = 4 * 1024 * 1024;

/// A caller that names no time gets this much.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

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

/// Marks a call that may be made twice: its contract says `idempotency_level`. Only such a call is
/// repeated when its outcome is not known.
pub fn repeatable<Q>(mut request: Request<Q>) -> Request<Q> {
    request.extensions_mut().insert(Repeatable);
    request
}

#[derive(Clone, Copy)]
struct Repeatable;

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

#[cfg(test)]
mod tests {
    use super::*;

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
