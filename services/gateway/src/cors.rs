//! Which pages a browser lets call us.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

use crate::{BuildError, Config};

pub(crate) fn layer(config: &Config) -> Result<CorsLayer, BuildError> {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let request_id = HeaderName::from_static(platform::http::REQUEST_ID_HEADER);
    let replayed = HeaderName::from_static(platform::http::REPLAYED_HEADER);
    let layer = CorsLayer::new()
        .allow_methods(methods)
        // `*` would not cover `Authorization` (Fetch standard, CORS-safelisted request headers).
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::ETAG, header::LOCATION, header::RETRY_AFTER, request_id, replayed])
        .max_age(Duration::from_secs(config.cors_max_age_seconds));
    Ok(match origins(config)? {
        Some(origins) => layer.allow_origin(AllowOrigin::list(origins)),
        None => layer.allow_origin(Any),
    })
}

/// The origins that are named; `None` when any will do.
pub(crate) fn origins(config: &Config) -> Result<Option<Vec<HeaderValue>>, BuildError> {
    if config.cors_origins.iter().any(|origin| origin == "*") {
        return Ok(None);
    }
    let mut origins = Vec::new();
    for origin in &config.cors_origins {
        let is_origin = origin.split_once("://").is_some_and(|(scheme, host)| {
            matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains('/')
        });
        let value = HeaderValue::from_str(origin).ok().filter(|_| is_origin);
        origins.push(value.ok_or_else(|| BuildError::Origin(origin.clone()))?);
    }
    Ok(Some(origins))
}
