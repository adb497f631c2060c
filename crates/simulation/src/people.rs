//! Whoever sends requests to the shop, and remembers what came of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use checker::Journal;
use checker::journal::{Outcome, Request as Purchase, Use};
use http::{Method, Request};
use platform::Env;
use serde_json::Value;

use crate::core::{Core, WORLD};
use crate::env::env_of;
use crate::net::{Answer, Lost, Net};

/// Longer than the shop takes for anything.
const PATIENCE: Duration = Duration::from_secs(25);

/// What clients saw, and what they should never have seen.
#[derive(Default)]
pub struct Memory {
    pub journal: Journal,
    pub complaints: Vec<String>,
    /// Of sessions that were ended, when nothing was in the way of that any more.
    pub uses: Vec<Use>,
    pub requests: u64,
    /// How many people are not through with what they want.
    pub busy: usize,
}

/// Somebody with a way to the shop. Cheap to clone.
#[derive(Clone)]
pub struct Person {
    pub core: Core,
    pub env: Env,
    net: Net,
    memory: Arc<Mutex<Memory>>,
    /// A guest's is empty.
    pub token: Option<String>,
    /// Of somebody who signed in with a password.
    pub session: Option<Session>,
}

/// What somebody holds who signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// `ses_…`
    pub id: String,
    pub refresh_token: String,
}

/// A request in the making.
pub struct Ask<'a> {
    pub method: Method,
    pub path: &'a str,
    pub key: Option<&'a str>,
    pub secret: Option<&'a str>,
    pub body: Option<&'a Value>,
}

impl<'a> Ask<'a> {
    pub fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, key: None, secret: None, body: None }
    }

    pub fn post(path: &'a str, body: &'a Value) -> Self {
        Self { method: Method::POST, path, key: None, secret: None, body: Some(body) }
    }

    pub fn put(path: &'a str, body: &'a Value) -> Self {
        Self { method: Method::PUT, ..Self::post(path, body) }
    }

    pub fn key(self, key: &'a str) -> Self {
        Self { key: Some(key), ..self }
    }

    pub fn secret(self, secret: Option<&'a str>) -> Self {
        Self { secret, ..self }
    }
}

/// An answer, its body as JSON.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    pub is_replayed: bool,
}

impl Reply {
    fn of(answer: &Answer) -> Self {
        Self {
            status: answer.status.as_u16(),
            body: serde_json::from_slice(&answer.body).unwrap_or(Value::Null),
            is_replayed: answer.headers.contains_key(platform::http::REPLAYED_HEADER),
        }
    }

    /// Does it leave open what became of the request?
    pub fn is_open(&self) -> bool {
        self.status >= 500 || self.status == 202 || (self.status == 409 && self.is_running())
    }

    fn is_running(&self) -> bool {
        self.slug() == "request-in-progress"
    }

    /// The last word of a problem's type.
    pub fn slug(&self) -> &str {
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.rsplit('/').next().unwrap_or_default()
    }

    pub fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl Person {
    pub fn new(core: &Core, net: &Net, memory: &Arc<Mutex<Memory>>) -> Self {
        let (env, net, memory) = (env_of(core, WORLD), net.clone(), memory.clone());
        Self { core: core.clone(), env, net, memory, token: None, session: None }
    }

    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// Holds the tokens of this answer from now on.
    pub fn hold(&mut self, tokens: &Reply) {
        self.token = Some(tokens.text("/access_token"));
        let (id, refresh_token) = (tokens.text("/session_id"), tokens.text("/refresh_token"));
        self.session = Some(Session { id, refresh_token });
    }

    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something that must never happen was seen.
    pub fn complain(&self, what: String) {
        self.core.tell(|| format!("COMPLAINT: {what}"));
        self.memory().complaints.push(what);
    }

    /// The answer; `None` when none came.
    pub async fn ask(&self, ask: Ask<'_>) -> Option<Reply> {
        let mut request = Request::builder().method(ask.method.clone()).uri(ask.path);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = ask.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(secret) = ask.secret {
            request = request.header("cart-secret", secret);
        }
        let body = ask.body.map(ToString::to_string);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(body.map_or_else(Body::empty, Body::from)).ok()?;
        self.memory().requests += 1;
        let answer = self.env.timeout(PATIENCE, self.net.request("gateway", request)).await;
        let told = || match &answer {
            Some(Ok(answer)) => {
                let text: String =
                    String::from_utf8_lossy(&answer.body).chars().take(160).collect();
                format!("{} {} -> {} {text}", ask.method, ask.path, answer.status)
            }
            Some(Err(Lost { was_sent })) => {
                format!("{} {} -> nothing, sent: {was_sent}", ask.method, ask.path)
            }
            None => format!("{} {} -> nothing in time", ask.method, ask.path),
        };
        self.core.tell(told);
        let reply = Reply::of(&answer?.ok()?);
        if reply.status == 500 {
            self.complain(format!("{} {} was answered 500: {}", ask.method, ask.path, reply.body));
        }
        Some(reply)
    }

    /// Waits, for a while that chance decides.
    pub async fn idle(&self, longest: Duration) {
        let pause = self.core.draw(|chance| chance.pause(longest));
        self.core.sleep(pause).await;
    }

    /// A new purchase of the journal, whose outcome is open; its place.
    pub fn note(&self, cart: &str, key: &str, body: &Value) -> usize {
        let mut memory = self.memory();
        memory.journal.requests.push(Purchase {
            cart: cart.to_owned(),
            key: key.to_owned(),
            body_hash: body.to_string(),
            outcome: Outcome::Unknown,
        });
        memory.journal.requests.len() - 1
    }
}
