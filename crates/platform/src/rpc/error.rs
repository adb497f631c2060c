//! Failures as callers see them.

use kernel::{Business, ErrorKind};

/// The slug of a call that the callee has certainly not seen. Only this side says it: a callee that
/// answers was reached.
pub(super) const NOT_SENT: &str = "not-sent";

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

    pub(super) fn deadline(call: &str) -> Self {
        let detail = format!("{call} did not answer before its deadline");
        Self::new(ErrorKind::DeadlineExceeded, "deadline-exceeded", detail)
    }

    pub(super) fn lost(call: &str) -> Self {
        Self::new(ErrorKind::Unavailable, "call-lost", format!("{call} ended without an answer"))
    }

    /// The effect of the call is not known: it may have happened.
    pub fn is_unknown(&self) -> bool {
        let may_be = matches!(
            self.kind,
            ErrorKind::DeadlineExceeded | ErrorKind::Unavailable | ErrorKind::Internal
        );
        may_be && !self.was_not_sent()
    }

    /// The callee has certainly not seen the call: no connection, or too many failures before it.
    pub fn was_not_sent(&self) -> bool {
        self.kind == ErrorKind::Unavailable && self.slug == NOT_SENT
    }
}
