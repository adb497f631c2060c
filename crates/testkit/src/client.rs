//! An HTTP client that hides nothing: status, headers and body come back as they are.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use platform::Env;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(40);
const MOST_BYTES: usize = 64 << 20;

/// A caller: somebody's token, or nobody's. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    base: String,
    token: Option<String>,
    http: Legacy<HttpConnector, Full<Bytes>>,
    env: Env,
}

/// A request in the making.
pub struct Request<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The request, for messages.
    pub asked: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Null when the body is not JSON.
    pub body: Value,
    pub bytes: Bytes,
}

/// No answer. What was asked may have been done.
#[derive(Clone, Debug)]
pub struct NoAnswer(pub String);

impl Client {
    /// Nobody in particular, at `base`.
    pub fn new(base: impl Into<String>) -> Self {
        let http = Legacy::builder(TokioExecutor::new()).build_http();
        Self { base: base.into(), token: None, http, env: Env::system() }
    }

    /// The holder of a token, over the same connections.
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// Nobody again, over the same connections.
    pub fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same caller over connections of its own.
    pub fn apart(&self) -> Self {
        Self { token: self.token.clone(), ..Self::new(self.base.clone()) }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A text that no other request of this run uses.
    pub fn fresh_key(&self) -> String {
        self.env.uuid().to_string()
    }

    pub fn request(&self, method: Method, path: impl Into<String>) -> Request<'_> {
        let mut headers = Vec::new();
        if let Some(token) = &self.token {
            let value = format!("Bearer {token}").into_bytes();
            headers.push((header::AUTHORIZATION.to_string(), value));
        }
        Request { client: self, method, path: path.into(), headers, body: Bytes::new() }
    }

    pub async fn get(&self, path: impl Into<String>) -> Reply {
        self.request(Method::GET, path).send().await
    }

    pub async fn post(&self, path: impl Into<String>, body: &Value) -> Reply {
        self.request(Method::POST, path).json(body).send().await
    }

    pub async fn put(&self, path: impl Into<String>, body: &Value) -> Reply {
        self.request(Method::PUT, path).json(body).send().await
    }

    pub async fn patch(&self, path: impl Into<String>, body: &Value) -> Reply {
        self.request(Method::PATCH, path).json(body).send().await
    }

    pub async fn delete(&self, path: impl Into<String>) -> Reply {
        self.request(Method::DELETE, path).send().await
    }

    /// All elements of a paged list.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        let mark = if path.contains('?') { '&' } else { '?' };
        loop {
            let at = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let reply = self.get(format!("{path}{mark}limit=100{at}")).await.expect_status(200);
            items.extend(reply.body["items"].as_array().cloned().unwrap_or_default());
            match reply.body["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return items,
            }
        }
    }
}

impl Request<'_> {
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// What a guest shows for their cart; customers need none.
    pub fn secret(self, secret: Option<&str>) -> Self {
        match secret {
            Some(secret) => self.header("cart-secret", secret),
            None => self,
        }
    }

    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string())
    }

    pub fn bytes(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", media_type)
    }

    /// The answer; the test fails without one.
    pub async fn send(self) -> Reply {
        let asked = format!("{} {}", self.method, self.path);
        match self.try_send().await {
            Ok(reply) => reply,
            Err(NoAnswer(why)) => panic!("{asked}: no answer: {why}"),
        }
    }

    /// The answer, or why there is none, for shops that are being killed.
    pub async fn try_send(self) -> Result<Reply, NoAnswer> {
        let asked = format!("{} {}", self.method, self.path);
        let Self { client, method, path, headers, body } = self;
        let mut request =
            http::Request::builder().method(method).uri(format!("{}{path}", client.base));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body)).map_err(NoAnswer::because)?;
        let exchange = async {
            let response = client.http.request(request).await.map_err(NoAnswer::because)?;
            let (parts, body) = response.into_parts();
            let body = http_body_util::Limited::new(body, MOST_BYTES);
            let bytes = body.collect().await.map_err(|error| NoAnswer(error.to_string()))?;
            Ok((parts, bytes.to_bytes()))
        };
        let (parts, bytes) = match client.env.timeout(PATIENCE, exchange).await {
            Some(outcome) => outcome?,
            None => return Err(NoAnswer(format!("nothing in {PATIENCE:?}"))),
        };
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Reply { asked, status: parts.status, headers: parts.headers, body, bytes })
    }
}

impl NoAnswer {
    fn because(error: impl std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self(text)
    }
}

impl Reply {
    /// The reply again, if it has this status; else the test fails and shows it.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self}");
        self
    }

    /// That it is a problem of this status and slug.
    #[track_caller]
    pub fn expect_problem(self, status: u16, slug: &str) -> Self {
        assert!(self.is_problem(), "not a problem: {self}");
        assert_eq!((self.status.as_u16(), self.slug()), (status, slug), "{self}");
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the body is problem+json with all its parts.
    pub fn is_problem(&self) -> bool {
        self.header("content-type").is_some_and(|t| t.starts_with("application/problem+json"))
            && self.body["type"].is_string()
            && self.body["title"].is_string()
            && self.body["detail"].is_string()
            && self.body["errors"].is_array()
            && self.body["status"] == self.status.as_u16()
    }

    /// The last word of a problem's type; empty for anything else.
    pub fn slug(&self) -> &str {
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.rsplit('/').next().unwrap_or_default()
    }

    /// The fields that a problem names.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|error| error["field"].as_str()).collect()
    }

    /// The text at a JSON pointer.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no text at {pointer}: {self}")).to_owned()
    }

    #[track_caller]
    pub fn id(&self) -> String {
        self.text("/id")
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text: String = String::from_utf8_lossy(&self.bytes).chars().take(2_000).collect();
        write!(f, "{} -> {}: {text}", self.asked, self.status)
    }
}
