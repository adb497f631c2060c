//! What kinds of failure exist, free of any transport.

use serde::{Deserialize, Serialize};

/// The kind of a failure. `platform` turns it into an HTTP status and a gRPC code, once each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request is malformed or a field breaks a rule (400).
    Invalid,
    /// Nobody is signed in, or the credentials are wrong or expired (401).
    Unauthenticated,
    /// The caller is known but lacks a permission (403).
    Forbidden,
    /// There is no such thing, or it is somebody else's (404).
    NotFound,
    /// The state of the thing does not allow it (409).
    Conflict,
    /// `If-Match` names a version that is no longer current (412).
    PreconditionFailed,
    /// The body is larger than the route accepts (413).
    TooLarge,
    /// Understood, but a rule of the business refuses it (422).
    Unprocessable,
    /// The caller asks too often (429).
    TooMany,
    /// A dependency does not answer, or the service is shutting down (503). Safe to retry.
    Unavailable,
    /// The deadline passed before the answer was known (504).
    DeadlineExceeded,
    /// A defect of ours (500). Its text never leaves the process.
    Internal,
}

/// One field of a request and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where, as a dotted path: `lines[2].quantity`, or the name of a header or query parameter.
    pub field: String,
    /// What is wrong and what is allowed, as a sentence for a person.
    pub message: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// An error of a service as business fact. `Display` is the detail that a caller may read; for
/// [`ErrorKind::Internal`] it is logged and never shown.
pub trait Business: std::error::Error + Send + Sync + 'static {
    fn kind(&self) -> ErrorKind;
    /// A stable, documented name such as `out-of-stock`; the last part of the problem's `type`.
    fn slug(&self) -> &'static str;
    /// The fields at fault, when the fault is in fields.
    fn fields(&self) -> Vec<FieldError> {
        Vec::new()
    }
}
