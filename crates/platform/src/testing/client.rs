//! Calls a module's routes in process, as whoever a test says.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::body::Body;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::context::Principal;
use crate::http::Module;

/// A caller of `module` who is anonymous until [`Client::as_`].
pub fn module_client(module: &Module) -> Client {
    Client { module: module.clone(), headers: HeaderMap::new() }
}

/// Sends requests through everything that stands around the handlers.
#[derive(Clone, Debug)]
pub struct Client {
    module: Module,
    headers: HeaderMap,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// `Null` when there was no body; a text when it was not JSON.
    pub body: Value,
}

/// Makes tokens of two tests different.
static TOKENS: AtomicU64 = AtomicU64::new(0);

impl Client {
    /// The same client, signed in as `principal`.
    #[must_use]
    pub fn as_(&self, principal: Principal) -> Self {
        let mut client = self.clone();
        client.headers.remove(header::AUTHORIZATION);
        if principal != Principal::Anonymous {
            let token = format!("test-{}", TOKENS.fetch_add(1, Ordering::Relaxed));
            let authenticator = client.module.authenticator.as_ref();
            authenticator.expect("a test calls its own process").admit(&token, principal);
            client = client.with("authorization", &format!("Bearer {token}"));
        }
        client
    }

    /// The same client with one more header on each request.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        let name = HeaderName::try_from(name).expect("a test names a valid header");
        let value = HeaderValue::try_from(value).expect("a test gives a valid header value");
        client.headers.insert(name, value);
        client
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// JSON, or no body at all.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let mut request = Request::new(Body::empty());
        if let Some(body) = body {
            *request.body_mut() = Body::from(body.to_string());
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a test gives a valid path");
        self.request(request).await
    }

    /// Any request; the client's headers are added unless it has its own.
    pub async fn request(&self, mut request: Request<Body>) -> Reply {
        for (name, value) in &self.headers {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        let Ok(response) = self.module.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("answers end");
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
            serde_json::from_slice(&bytes).unwrap_or_else(|_| text())
        };
        Reply { status: parts.status, headers: parts.headers, body }
    }
}

impl Reply {
    /// The version in the `ETag`.
    pub fn version(&self) -> Option<u64> {
        let etag = self.headers.get(header::ETAG)?.to_str().ok()?;
        etag.trim_matches('"').parse().ok()
    }

    /// The last part of a problem's `type`.
    pub fn slug(&self) -> &str {
        self.body["type"].as_str().and_then(|t| t.rsplit('/').next()).unwrap_or_default()
    }

    /// The fields that a problem names.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|error| error["field"].as_str()).collect()
    }

    /// Fails the test with the whole answer unless the status is `expected`.
    #[track_caller]
    pub fn expect(self, expected: u16) -> Self {
        let mut told = String::new();
        let _ = write!(told, "{} {}", self.status, self.body);
        assert_eq!(self.status.as_u16(), expected, "{told}");
        self
    }
}
