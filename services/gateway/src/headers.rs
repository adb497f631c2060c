//! Headers that nobody outside may set.

use http::header::CONNECTION;
use http::{HeaderMap, HeaderName};

/// Drops identity and forwarding headers, our internal ones, and whatever `Connection` names.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // Credentials and conditions are end to end: naming them here must not take them away
        // behind the back of whoever checks them.
        .filter(|name: &HeaderName| !END_TO_END.contains(&name.as_str()))
        .collect();
    platform::http::strip_internal(headers);
    for name in named {
        headers.remove(name);
    }
}

const END_TO_END: &[&str] = &[
    "authorization",
    "cart-secret",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "if-match",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_ours_is_dropped_and_the_rest_stays() {
        let mut headers = HeaderMap::new();
        for name in [
            "mercat-deadline-ms",
            "MERCAT_deadline_ms",
            "X-Forwarded-For",
            "x_forwarded_for",
            "Forwarded",
            "X-Real-IP",
            "X-Original-URL",
            "x-secret-hop",
        ] {
            headers.insert(name.parse::<HeaderName>().unwrap(), "x".parse().unwrap());
        }
        for name in ["authorization", "traceparent", "x-request-id", "accept-language"] {
            headers.insert(name.parse::<HeaderName>().unwrap(), "x".parse().unwrap());
        }
        headers.insert("connection", "x-secret-hop, Authorization".parse().unwrap());
        strip(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        let kept =
            ["accept-language", "authorization", "connection", "traceparent", "x-request-id"];
        assert_eq!(left, kept);
    }
}
