//! Requests with an `Idempotency-Key`: the second one gets the answer of the first
//! (IETF draft-ietf-httpapi-idempotency-key-header).

use std::fmt::Write as _;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderName};
use axum::response::Response;
use kernel::ErrorKind;
use sha2::{Digest, Sha256};

use super::extract::single;
use super::{IDEMPOTENCY_HEADER, IdempotencyRule, Problem, RouteInfo, respond};
use crate::context::Principal;
use crate::idempotency::{IdempotencyKey, Lookup};
use crate::store::Store;

pub(super) fn missing_key() -> Problem {
    Problem::new(
        ErrorKind::Invalid,
        "idempotency-key-missing",
        "This needs an Idempotency-Key header, so that it is safe to send again.",
    )
    .field(IDEMPOTENCY_HEADER, "is required")
}

/// The key of the request, when its route knows keys.
pub(super) fn key_of<'a>(
    headers: &'a HeaderMap,
    route: &RouteInfo,
) -> Result<Option<&'a str>, Problem> {
    if route.idempotency == IdempotencyRule::Ignored {
        return Ok(None);
    }
    match single(headers, &HeaderName::from_static(IDEMPOTENCY_HEADER))? {
        Some(key)
            if (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Ok(Some(key))
        }
        Some(_) => Err(Problem::invalid_field(
            IDEMPOTENCY_HEADER,
            "must be 1 to 255 visible ASCII characters",
        )),
        None if route.idempotency == IdempotencyRule::Required => Err(missing_key()),
        None => Ok(None),
    }
}

/// What makes two requests the same one: caller, route, key; and method, path, declared headers
/// and body as the fingerprint.
pub(super) fn identity(
    principal: &Principal,
    route: &RouteInfo,
    key: &str,
    parts: &Parts,
    body: &[u8],
) -> IdempotencyKey {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(route.method.as_str().as_bytes());
    part(parts.uri.path_and_query().map_or("", |p| p.as_str()).as_bytes());
    for name in &route.declared_headers {
        part(parts.headers.get(name).map_or(&[][..], |value| value.as_bytes()));
    }
    part(body);
    let mut fingerprint = String::with_capacity(64);
    for byte in hash.finalize() {
        let _ = write!(fingerprint, "{byte:02x}");
    }
    IdempotencyKey {
        owner: principal.owner(),
        route: format!("{} {}", route.method, route.path),
        key: key.to_owned(),
        fingerprint,
    }
}

/// The saved answer, or `None` when the request is new.
pub(super) async fn find(store: &Store, key: &IdempotencyKey) -> Result<Option<Response>, Problem> {
    match store.saved_response(key).await? {
        Lookup::New => Ok(None),
        Lookup::Saved(saved) => {
            crate::sometimes::reached("a repeated request got the kept answer");
            Ok(Some(respond::replay(saved)))
        }
        Lookup::Running => Err(Problem::new(
            ErrorKind::Conflict,
            "request-in-progress",
            "The first request with this Idempotency-Key has not ended yet. Ask again shortly.",
        )
        .field(IDEMPOTENCY_HEADER, "belongs to a request that is still running")),
        Lookup::Mismatch => Err(Problem::new(
            ErrorKind::Unprocessable,
            "idempotency-key-reused",
            "This Idempotency-Key was used with another request.",
        )
        .field(IDEMPOTENCY_HEADER, "was used with another request")),
    }
}
