//! What travels beside a message, and errors as gRPC knows them.

use std::time::Duration;

use kernel::ErrorKind;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code, Status};

use super::CallError;
use super::error::NOT_SENT;

pub(super) const CORRELATION: &str = "mercat-correlation";
pub(super) const CAUSATION: &str = "mercat-causation";
pub(super) const TRACEPARENT: &str = "traceparent";
const SLUG: &str = "mercat-slug";

pub(super) fn put(metadata: &mut MetadataMap, key: &'static str, value: &str) {
    if let Ok(value) = AsciiMetadataValue::try_from(value) {
        metadata.insert(key, value);
    }
}

pub(super) fn get<'a>(metadata: &'a MetadataMap, key: &str) -> Option<&'a str> {
    metadata.get(key)?.to_str().ok()
}

/// `TimeoutValue TimeoutUnit` of the gRPC protocol: at most 8 digits and one of `H M S m u n`.
pub(super) fn grpc_timeout(text: &str) -> Option<Duration> {
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

pub(super) fn to_status(error: &CallError) -> Status {
    let code = CODES.iter().find(|(kind, _)| *kind == error.kind).map_or(Code::Unknown, |c| c.1);
    // What this callee did not get sent to somebody else says nothing about the call to itself.
    let slug = if error.was_not_sent() { "call-failed" } else { &error.slug };
    let mut metadata = MetadataMap::new();
    put(&mut metadata, SLUG, slug);
    Status::with_metadata(code, error.detail.clone(), metadata)
}

/// The callee was not reached.
pub(super) fn not_sent(detail: impl Into<String>) -> Status {
    let mut metadata = MetadataMap::new();
    put(&mut metadata, SLUG, NOT_SENT);
    Status::with_metadata(Code::Unavailable, detail, metadata)
}

pub(super) fn from_status(status: &Status) -> CallError {
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

    #[test]
    fn only_the_caller_says_that_a_call_was_not_sent() {
        let unsent = from_status(&not_sent("nobody is there"));
        assert!(unsent.was_not_sent() && !unsent.is_unknown());
        let passed_on = from_status(&to_status(&unsent));
        assert!(!passed_on.was_not_sent() && passed_on.is_unknown());
    }
}
