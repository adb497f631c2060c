//! What an operator does with events while the process runs, on its internal port:
//! `GET /events/parked`, `POST /events/replay` and `/events/skip` (JSON), `GET /events/tail`
//! (a JSON line for each event as it is committed).

use std::convert::Infallible;
use std::sync::Arc;

use ::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use kernel::id::Uuid;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;

use super::{Subscription, replay, skip};
use crate::event::Envelope;
use crate::executor::Executor;

/// An event as an operator sees it: what it is, not what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    pub id: Uuid,
    pub event_type: String,
    pub aggregate_type: String,
    pub aggregate_id: Uuid,
    pub aggregate_version: u64,
    /// RFC 3339.
    pub time: String,
    pub correlation: String,
}

impl From<&Envelope> for Sight {
    fn from(envelope: &Envelope) -> Self {
        Self {
            id: envelope.id,
            event_type: envelope.event_type.clone(),
            aggregate_type: envelope.aggregate_type.clone(),
            aggregate_id: envelope.aggregate_id,
            aggregate_version: envelope.aggregate_version,
            time: envelope.time.to_string(),
            correlation: envelope.correlation.to_string(),
        }
    }
}

/// A parked event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedSight {
    pub consumer: String,
    pub event: Sight,
    pub error: String,
    pub attempts: u32,
}

/// Which key is to be handled again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    pub consumer: String,
    pub aggregate: Uuid,
}

/// Which event is given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    pub consumer: String,
    pub event: Uuid,
}

/// What was done, or why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub handled: usize,
    pub error: Option<String>,
}

struct Events {
    executors: Vec<Executor>,
    subscriptions: Vec<Subscription>,
}

/// The routes, for the internal port of a process with these services in it.
pub fn operator_routes(executors: Vec<Executor>, subscriptions: Vec<Subscription>) -> Router {
    Router::new()
        .route("/events/parked", get(parked))
        .route("/events/replay", post(replayed))
        .route("/events/skip", post(skipped))
        .route("/events/tail", get(tail))
        .with_state(Arc::new(Events { executors, subscriptions }))
        .layer(axum::middleware::from_fn(not_for_pages))
}

/// Operators use programs. A page in an operator's browser reaches this port too, under a name of
/// its own choice (DNS rebinding), and its browser says that it is one.
async fn not_for_pages(request: Request, next: Next) -> Response {
    let of_browser =
        |name: &HeaderName| *name == header::ORIGIN || name.as_str() == "sec-fetch-mode";
    if request.headers().keys().any(of_browser) {
        return failed(StatusCode::FORBIDDEN, "this is not for web pages".to_owned());
    }
    next.run(request).await
}

async fn parked(State(events): State<Arc<Events>>) -> Response {
    let mut found = Vec::new();
    for executor in &events.executors {
        match executor.store().parked(None).await {
            Ok(parked) => found.extend(parked.into_iter().map(|parked| ParkedSight {
                event: Sight::from(&parked.envelope),
                consumer: parked.consumer,
                error: parked.error,
                attempts: parked.attempts,
            })),
            Err(error) => return failed(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
    }
    Json(found).into_response()
}

/// Handled events stay handled when a later one fails.
async fn replayed(State(events): State<Arc<Events>>, Json(asked): Json<Replay>) -> Response {
    let Some(subscription) = events.subscription(&asked.consumer) else {
        return events.unknown(&asked.consumer);
    };
    match replay(subscription, asked.aggregate).await {
        Ok(handled) => Json(Outcome { handled, error: None }).into_response(),
        Err(error) => failed(StatusCode::CONFLICT, error.message),
    }
}

async fn skipped(State(events): State<Arc<Events>>, Json(asked): Json<Skip>) -> Response {
    let Some(subscription) = events.subscription(&asked.consumer) else {
        return events.unknown(&asked.consumer);
    };
    match skip(subscription, asked.event).await {
        Ok(true) => Json(Outcome { handled: 1, error: None }).into_response(),
        Ok(false) => {
            let text = format!("no event {} is parked for {}", asked.event, asked.consumer);
            failed(StatusCode::NOT_FOUND, text)
        }
        Err(error) => failed(StatusCode::CONFLICT, error.message),
    }
}

impl Events {
    fn subscription(&self, consumer: &str) -> Option<&Subscription> {
        self.subscriptions.iter().find(|subscription| subscription.consumer.name == consumer)
    }

    fn unknown(&self, consumer: &str) -> Response {
        let names: Vec<_> = self.subscriptions.iter().map(|s| s.consumer.name).collect();
        let text = format!("there is no consumer {consumer} here; there are {}", names.join(", "));
        failed(StatusCode::NOT_FOUND, text)
    }
}

fn failed(status: StatusCode, error: String) -> Response {
    (status, Json(Outcome { handled: 0, error: Some(error) })).into_response()
}

/// From now on, until the reader goes. A reader that is too slow misses some and is told how many.
async fn tail(State(events): State<Arc<Events>>) -> Response {
    let lines = events.executors.iter().map(|executor| {
        Box::pin(stream::unfold(executor.tail().watch(), async |mut watch| {
            let line = match watch.recv().await {
                Ok(envelope) => serde_json::to_string(&Sight::from(envelope.as_ref())),
                Err(RecvError::Lagged(missed)) => {
                    serde_json::to_string(&serde_json::json!({ "missed": missed }))
                }
                Err(RecvError::Closed) => return None,
            };
            let line = line.map(|line| Bytes::from(line + "\n")).unwrap_or_default();
            Some((Ok::<_, Infallible>(line), watch))
        }))
    });
    let mut response = Response::new(Body::from_stream(stream::select_all(lines)));
    let media_type = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}
