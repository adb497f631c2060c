//! Headers that only we may set: who asks, from where, how much time is left.

use ::http::{HeaderMap, HeaderName};

/// Drops what looks like one of ours, or tells of the way that the request took. Names are compared
/// with `_` as `-`, because some servers read them alike.
pub fn strip_internal(headers: &mut HeaderMap) {
    let inner = headers.keys().filter(|name| is_internal(name.as_str())).cloned();
    for name in inner.collect::<Vec<HeaderName>>() {
        headers.remove(name);
    }
}

fn is_internal(name: &str) -> bool {
    let name = name.replace('_', "-");
    name.starts_with("mercat-")
        || name.starts_with("x-forwarded-")
        || name.starts_with("x-mercat-")
        || matches!(
            name.as_str(),
            "forwarded"
                | "x-real-ip"
                | "x-user"
                | "x-user-id"
                | "x-account-id"
                | "x-original-url"
                | "x-rewrite-url"
                | "x-http-method-override"
                | "proxy"
                | "proxy-authorization"
        )
}
