//! Request bodies: bounded in size, in time between two pieces, and in what they may be.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use kernel::ErrorKind;
use serde::de::DeserializeOwned;

use super::strict::Strict;
use super::{Problem, cards, shape};
use crate::env::{BoxFuture, Env};

/// What a route accepts that declares no `x-body-limit`, in bytes.
pub const DEFAULT_BODY_LIMIT: u64 = 256 * 1024;
/// A client that sends nothing of an announced body for so long is told 408.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body is longer than {0} bytes")]
    TooLarge(u64),
    #[error("nothing came for too long")]
    Idle,
    #[error("the body ended before its announced end")]
    Broken,
}

/// A body that ends in an error once it is longer than `limit` or stands still.
pub(super) struct Guarded {
    inner: axum::body::Body,
    limit: u64,
    seen: u64,
    idle: Duration,
    env: Env,
    timer: Option<BoxFuture<()>>,
}

impl Guarded {
    pub(super) fn new(inner: axum::body::Body, limit: u64, idle: Duration, env: &Env) -> Self {
        Self { inner, limit, seen: 0, idle, env: env.clone(), timer: None }
    }
}

impl http_body::Body for Guarded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.timer = None;
                this.seen += frame.data_ref().map_or(0, |data| data.len() as u64);
                if this.seen > this.limit {
                    return Poll::Ready(Some(Err(BodyError::TooLarge(this.limit))));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(BodyError::Broken))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let timer = this.timer.get_or_insert_with(|| this.env.timer.sleep(this.idle));
                match timer.as_mut().poll(cx) {
                    Poll::Ready(()) => Poll::Ready(Some(Err(BodyError::Idle))),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The problem behind a failure to read a request's body, for handlers that stream it.
pub fn body_problem(error: &(dyn Error + 'static)) -> Problem {
    let mut source = Some(error);
    while let Some(current) = source {
        match current.downcast_ref::<BodyError>() {
            Some(BodyError::TooLarge(limit)) => return too_large(*limit),
            Some(BodyError::Idle) => {
                return Problem::with_status(
                    StatusCode::REQUEST_TIMEOUT,
                    "body-timeout",
                    "The body stopped coming before its end.",
                );
            }
            Some(BodyError::Broken) => break,
            None => source = current.source(),
        }
    }
    Problem::new(ErrorKind::Invalid, "incomplete-body", "The body could not be read to its end.")
}

pub(super) fn too_large(limit: u64) -> Problem {
    Problem::new(
        ErrorKind::TooLarge,
        "body-too-large",
        format!("The body is longer than the {limit} bytes that this route accepts."),
    )
    // The rest of the body is not read, so nothing may follow on this connection.
    .header(header::CONNECTION, HeaderValue::from_static("close"))
}

/// The whole body.
pub(super) async fn collect(body: axum::body::Body) -> Result<Bytes, Problem> {
    match body.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(body_problem(&error)),
    }
}

/// 415 unless the headers say JSON in UTF-8.
pub(super) fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let value = headers.get(header::CONTENT_TYPE).map(|v| v.to_str().unwrap_or("?"));
    let (media_type, parameters) = match value {
        Some(value) => value.split_once(';').unwrap_or((value, "")),
        None => ("", ""),
    };
    let media_type = media_type.trim().to_ascii_lowercase();
    let is_json = media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"));
    let charset = parameters.split(';').find_map(|p| {
        let (name, value) = p.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    if is_json && charset.is_none_or(|c| c.eq_ignore_ascii_case("utf-8")) {
        return Ok(());
    }
    let got = value.map_or("nothing".to_owned(), |v| v.chars().take(100).collect());
    Err(Problem::with_status(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        format!("The Content-Type must be application/json in UTF-8, not {got}."),
    )
    .field("content-type", "must be application/json"))
}

/// Reads JSON; a problem names the field at fault.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.is_empty() {
        return Err(Problem::invalid_field("body", "is required"));
    }
    cards::check_json(bytes)?;
    // The plain readers are twice as fast; only a refused body is read again to find the field.
    let plain = if bytes.contains(&b'[') {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        T::deserialize(Strict(&mut reader)).and_then(|value| reader.end().map(|()| value))
    } else {
        serde_json::from_slice(bytes)
    };
    if let Ok(value) = plain {
        return Ok(value);
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(Strict(&mut reader)) else {
        return Err(match reader.end() {
            Ok(()) => Problem::invalid_field("body", "cannot be read"),
            Err(error) => malformed("body", &error),
        });
    };
    let path = error.path().to_string();
    let inner = error.into_inner();
    if inner.is_data() {
        return Err(Problem::invalid(vec![shape::field_error(&path, &inner.to_string())]));
    }
    let field = path.trim_end_matches('?').trim_end_matches('.');
    Err(malformed(if field.is_empty() { "body" } else { field }, &inner))
}

fn malformed(field: &str, error: &serde_json::Error) -> Problem {
    let message = format!("is not well-formed JSON: {error}");
    Problem::new(ErrorKind::Invalid, "malformed-json", format!("The body {message}"))
        .field(field, message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    struct AtOnce;

    impl crate::env::Timer for AtOnce {
        fn sleep(&self, _: Duration) -> BoxFuture<()> {
            Box::pin(std::future::ready(()))
        }
    }

    #[tokio::test]
    async fn a_body_that_stands_still_is_408() {
        let env = Env { timer: Arc::new(AtOnce), ..Env::test().env };
        let silent = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let silent = axum::body::Body::from_stream(silent);
        let body = axum::body::Body::new(Guarded::new(silent, 10, IDLE_TIMEOUT, &env));
        let problem = collect(body).await.unwrap_err();
        assert_eq!((problem.status().as_u16(), problem.slug()), (408, "body-timeout"));
    }
}
