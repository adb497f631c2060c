//! Answers that went well.

use ::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::Problem;
use crate::idempotency::SavedResponse;

/// 200 with the thing and, when it has a version, its `ETag`.
pub fn ok<T: Serialize>(version: Option<u64>, dto: &T) -> Response {
    json(StatusCode::OK, version, dto)
}

/// 201 with the thing, where it is and, when it has a version, its `ETag`.
pub fn created<T: Serialize>(location: &str, version: Option<u64>, dto: &T) -> Response {
    located(json(StatusCode::CREATED, version, dto), location)
}

/// 202: the work goes on; `location` tells how it went.
pub fn accepted<T: Serialize>(location: &str, dto: &T) -> Response {
    located(json(StatusCode::ACCEPTED, None, dto), location)
}

/// 204.
pub fn no_content() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

pub fn json<T: Serialize>(status: StatusCode, version: Option<u64>, dto: &T) -> Response {
    let body = match serde_json::to_vec(dto) {
        Ok(body) => body,
        Err(error) => {
            return axum::response::IntoResponse::into_response(Problem::internal(&error));
        }
    };
    let mut response = Response::new(axum::body::Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(version) = version {
        let etag = HeaderValue::try_from(format!("\"{version}\""));
        headers.insert(header::ETAG, etag.expect("digits and quotes are visible ASCII"));
    }
    response
}

/// The saved answer of an earlier request, marked as such.
pub fn replay(saved: SavedResponse) -> Response {
    let status = StatusCode::from_u16(saved.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let has_body = !saved.body.is_empty();
    let mut response = Response::new(axum::body::Body::from(saved.body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if has_body {
        let media_type =
            if status.as_u16() < 400 { "application/json" } else { "application/problem+json" };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    for (name, value) in saved.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    headers.insert(super::REPLAYED_HEADER, HeaderValue::from_static("true"));
    response
}

fn located(mut response: Response, location: &str) -> Response {
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
