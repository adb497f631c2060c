//! Why there is no answer, and whether the peer may have seen the request.

use std::error::Error;

/// No answer came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct SendError {
    /// False: the peer has certainly done nothing.
    pub(crate) was_sent: bool,
    pub(crate) detail: String,
}

impl SendError {
    pub(super) fn unsent(detail: impl Into<String>) -> Self {
        Self { was_sent: false, detail: detail.into() }
    }

    /// What broke after the request was handed to the connection.
    pub(super) fn of(name: &str, error: &hyper::Error) -> Self {
        let detail = format!("{name}: the connection broke: {}", root(error));
        Self { was_sent: !is_refusal(error), detail }
    }
}

/// The peer says that it has not looked at the request: the stream was refused, or is beyond the
/// last one that a peer who goes away still processes (RFC 9113, 6.8 and 8.7).
fn is_refusal(error: &hyper::Error) -> bool {
    let Some(cause) = error.source().and_then(|source| source.downcast_ref::<h2::Error>()) else {
        return false;
    };
    let reason = cause.reason();
    let is_refused = cause.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM);
    let is_beyond = cause.is_go_away() && reason == Some(h2::Reason::NO_ERROR);
    cause.is_remote() && (is_refused || is_beyond)
}

/// The innermost cause: the outer ones only repeat that there is one.
pub(super) fn root(error: &dyn Error) -> String {
    let mut current: &dyn Error = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}
