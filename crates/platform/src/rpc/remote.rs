//! Calls to another process: the one place where a call is repeated.
//!
//! A call is repeated when it certainly was not sent, or when its contract says that it may be made
//! twice and it got lost or the callee said that it is unavailable; never past its deadline, after
//! a pause with chance in it, and as long as the [`Budget`] allows. A peer that fails most calls is
//! left alone for a moment ([`Breaker`]).

use std::sync::{Arc, Weak};
use std::time::Duration;

use ::http::request::Parts;
use ::http::{HeaderMap, Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::util::BoxCloneSyncService;

use super::breaker::{Breaker, Leave};
use super::budget::Budget;
use super::status::{grpc_timeout, not_sent};
use super::{Channel, DEFAULT_TIMEOUT, MAX_MESSAGE, Repeatable};
use crate::context::Deadline;
use crate::crash;
use crate::env::Env;
use crate::peer::{Peer, PeerConfig, jittered};

const MOST_RETRIES: u32 = 3;
/// Before the first retry; it doubles.
const PAUSE: Duration = Duration::from_millis(20);
/// How often an open breaker is looked at.
const LOOK: Duration = Duration::from_secs(5);
const TIMEOUT: &str = "grpc-timeout";
/// The five bytes before each message.
const MESSAGE_HEAD: usize = 5;

/// A way to a service in another process, for generated clients. Connections are made from now on,
/// in the background; an error is one of the configuration and names its key. For calls of one
/// message each way, as all contracts are.
///
/// A failure is `Unavailable`, with [`super::CallError::was_not_sent`] where that is certain, or
/// `DeadlineExceeded`.
pub fn remote(env: &Env, config: PeerConfig) -> Result<Channel, String> {
    let peer = Peer::open(env, config)?;
    let name = peer.config().name;
    let caller = Arc::new_cyclic(|this| Caller {
        this: this.clone(),
        env: env.clone(),
        name,
        permits: Semaphore::new(peer.config().max_in_flight),
        peer,
        breaker: Breaker::new(),
        budget: Budget::new(),
        retries: metrics::counter!("mercat_rpc_retries_total", "peer" => name),
        is_open: metrics::gauge!("mercat_rpc_breaker_open", "peer" => name),
    });
    caller.is_open.set(0.0);
    Ok(BoxCloneSyncService::new(tower::service_fn(move |request| {
        let caller = caller.clone();
        async move { caller.call(request).await }
    })))
}

struct Caller {
    this: Weak<Caller>,
    env: Env,
    name: &'static str,
    peer: Peer,
    permits: Semaphore,
    breaker: Breaker,
    budget: Budget,
    retries: metrics::Counter,
    is_open: metrics::Gauge,
}

/// How one try ended.
enum Outcome {
    Answer(Response<Body>),
    /// The callee answered that it cannot answer.
    Unavailable(Response<Body>),
    Unsent(Status),
    Lost(Status),
    TooLate,
    /// The answer is one that no other try would change.
    Refused(Status),
}

impl Outcome {
    fn is_good(&self) -> bool {
        matches!(self, Self::Answer(_) | Self::Refused(_))
    }

    fn may_be_repeated(&self, is_repeatable: bool) -> bool {
        match self {
            Self::Unsent(_) => true,
            Self::Lost(_) | Self::Unavailable(_) => is_repeatable,
            Self::Answer(_) | Self::TooLate | Self::Refused(_) => false,
        }
    }
}

impl Caller {
    async fn call(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let (mut parts, body) = request.into_parts();
        let deadline = Deadline::after(&self.env, time_left(&parts.headers));
        let is_repeatable = parts.extensions.remove::<Repeatable>().is_some();
        parts.extensions.clear();
        let message = Limited::new(body, MAX_MESSAGE + MESSAGE_HEAD).collect().await;
        let message = message.map_err(|error| Status::out_of_range(error.to_string()))?.to_bytes();
        let remaining = deadline.remaining(&self.env);
        let Some(permit) = self.env.timeout(remaining, self.permits.acquire()).await else {
            return Err(not_sent(format!("{}: too many calls are in flight", self.name)));
        };
        let _permit = permit.map_err(|_| not_sent("the channel is closed"))?;
        self.budget.call();
        let mut retries = 0;
        loop {
            let outcome = self.guarded(&parts, &message, deadline).await;
            let pause = jittered(&self.env, PAUSE * 2_u32.pow(retries));
            let goes_on = outcome.may_be_repeated(is_repeatable)
                && retries < MOST_RETRIES
                && deadline.remaining(&self.env) > pause
                && self.budget.retry();
            if !goes_on {
                return self.end(outcome);
            }
            retries += 1;
            self.retries.increment(1);
            self.env.sleep(pause).await;
        }
    }

    fn end(&self, outcome: Outcome) -> Result<Response<Body>, Status> {
        match outcome {
            Outcome::Answer(response) | Outcome::Unavailable(response) => Ok(response),
            Outcome::Unsent(status) | Outcome::Lost(status) | Outcome::Refused(status) => {
                Err(status)
            }
            Outcome::TooLate => Err(Status::deadline_exceeded(format!(
                "{} did not answer before the deadline",
                self.name
            ))),
        }
    }

    /// One try, if the breaker allows, which learns from it.
    async fn guarded(&self, parts: &Parts, message: &Bytes, deadline: Deadline) -> Outcome {
        let Some(leave) = self.breaker.admit(self.env.clock.monotonic()) else {
            let reason = format!("{} failed most calls and is left alone for a moment", self.name);
            return Outcome::Refused(not_sent(reason));
        };
        let mut attempt = Attempt { caller: self, leave, deadline, is_settled: false };
        let remaining = deadline.remaining(&self.env);
        let work = self.attempt(parts, message.clone(), deadline);
        crash::point("rpc.call.before");
        let outcome = self.env.timeout(remaining, work).await.unwrap_or(Outcome::TooLate);
        crash::point("rpc.call.after");
        attempt.settle(outcome.is_good());
        outcome
    }

    async fn attempt(&self, parts: &Parts, message: Bytes, deadline: Deadline) -> Outcome {
        let mut request = Request::new(axum::body::Body::from(message));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.headers_mut() = parts.headers.clone();
        set_timeout(request.headers_mut(), deadline.remaining(&self.env));
        let (response, _lease) = match self.peer.send(request, deadline).await {
            Ok(answered) => answered,
            Err(error) if error.was_sent => {
                return Outcome::Lost(Status::unavailable(error.detail));
            }
            Err(error) => return Outcome::Unsent(not_sent(error.detail)),
        };
        let (head, body) = response.into_parts();
        let body = match Limited::new(body, MAX_MESSAGE + MESSAGE_HEAD).collect().await {
            Ok(body) => body,
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                let detail = format!("{}: the answer is over {MAX_MESSAGE} bytes", self.name);
                return Outcome::Refused(Status::internal(detail));
            }
            Err(error) => {
                let detail = format!("{}: the answer broke off: {error}", self.name);
                return Outcome::Lost(Status::unavailable(detail));
            }
        };
        let is_unavailable =
            [Some(&head.headers), body.trailers()].into_iter().flatten().any(says_unavailable);
        let response = Response::from_parts(head, Body::new(body));
        if is_unavailable { Outcome::Unavailable(response) } else { Outcome::Answer(response) }
    }
}

/// Tells the breaker how a try ended, even one that is dropped.
struct Attempt<'a> {
    caller: &'a Caller,
    leave: Leave,
    deadline: Deadline,
    is_settled: bool,
}

impl Attempt<'_> {
    fn settle(&mut self, is_good: bool) {
        let Self { caller, leave, .. } = self;
        self.is_settled = true;
        let was_open = caller.breaker.is_open();
        caller.breaker.settle(*leave, caller.env.clock.monotonic(), is_good);
        let is_open = caller.breaker.is_open();
        if is_open != was_open {
            caller.is_open.set(if is_open { 1.0 } else { 0.0 });
            let peer = caller.name;
            if is_open {
                tracing::warn!(peer, "most calls fail: further ones are refused for a moment");
                caller.env.spawn("breaker", rest(caller.env.clone(), caller.this.clone()));
            } else {
                tracing::info!(peer, "calls succeed again");
            }
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        let env = &self.caller.env;
        if self.deadline.has_passed(env) {
            self.settle(false);
        } else {
            self.caller.breaker.forget(self.leave, env.clock.monotonic());
        }
    }
}

/// An open breaker is told to operators until it closes, and it closes by calls: without any, by
/// time.
async fn rest(env: Env, caller: Weak<Caller>) {
    loop {
        env.sleep(LOOK).await;
        let Some(caller) = caller.upgrade() else { return };
        if caller.breaker.rest(env.clock.monotonic()) {
            caller.is_open.set(0.0);
            return;
        }
    }
}

fn time_left(headers: &HeaderMap) -> Duration {
    let timeout = headers.get(TIMEOUT).and_then(|value| value.to_str().ok());
    timeout.and_then(grpc_timeout).unwrap_or(DEFAULT_TIMEOUT)
}

/// At most eight digits (gRPC over HTTP/2, `Timeout`): microseconds hold 99 seconds.
fn set_timeout(headers: &mut HeaderMap, left: Duration) {
    let micros = left.as_micros();
    let text = if micros < 100_000_000 {
        format!("{micros}u")
    } else {
        format!("{}m", left.as_millis().min(99_999_999))
    };
    if let Ok(value) = text.parse() {
        headers.insert(TIMEOUT, value);
    }
}

fn says_unavailable(headers: &HeaderMap) -> bool {
    let status = headers.get("grpc-status").map(::http::HeaderValue::as_bytes);
    status.is_some_and(|code| Code::from_bytes(code) == Code::Unavailable)
}
