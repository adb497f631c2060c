//! Idempotency keys: the same request twice has one effect and one answer
//! (IETF draft-ietf-httpapi-idempotency-key-header).
//!
//! A record is written in the transaction of the effect. The HTTP layer looks records up before a
//! handler runs; the executor checks again inside the batch, where two at once meet.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What makes two requests the same one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// [`crate::Principal::owner`]: the key of one caller says nothing about another's.
    pub owner: String,
    /// Method and path template, such as `POST /v1/carts/{id}/complete`.
    pub route: String,
    /// The `Idempotency-Key` header: 1 to 255 visible ASCII characters.
    pub key: String,
    /// SHA-256 in hex of method, path and body.
    pub fingerprint: String,
}

/// Owner, route and key: what a record is found by. The fingerprint is not part of it.
pub(crate) type Identity = (String, String, String);

impl IdempotencyKey {
    pub(crate) fn identity(&self) -> Identity {
        (self.owner.clone(), self.route.clone(), self.key.clone())
    }
}

/// The answer that a repeated request gets again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedResponse {
    pub status: u16,
    /// `location` and `etag` only.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl SavedResponse {
    pub fn json<T: Serialize>(status: u16, body: &T) -> Self {
        let body = serde_json::to_vec(body).expect("our own DTOs have string keys and no NaN");
        Self { status, headers: Vec::new(), body }
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// What stands where an answer was that showed a person who is erased.
    pub(crate) fn erased() -> Self {
        let problem = serde_json::json!({
            "type": "https://mercat.dev/problems/answer-erased",
            "title": "Answer erased",
            "status": 404,
            "detail": "The answer of this request was erased with the personal data in it.",
            "errors": [],
        });
        Self::json(404, &problem)
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// What the store knows about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    New,
    /// Begun, not finished: 409.
    Running,
    /// Used with another body: 422.
    Mismatch,
    Saved(SavedResponse),
}

type Render<R> = dyn Fn(&R) -> SavedResponse + Send + Sync;

/// A key together with how to make the answer of a command's reply.
pub struct Idempotent<R> {
    pub(crate) key: IdempotencyKey,
    pub(crate) render: Option<Arc<Render<R>>>,
}

impl<R> Idempotent<R> {
    /// Effect and answer are known in one commit.
    pub fn render(
        key: IdempotencyKey,
        render: impl Fn(&R) -> SavedResponse + Send + Sync + 'static,
    ) -> Self {
        Self { key, render: Some(Arc::new(render)) }
    }

    /// The command only begins the work: the record stands as running until a later command calls
    /// [`crate::executor::States::finish`] with the same key.
    pub fn begin(key: IdempotencyKey) -> Self {
        Self { key, render: None }
    }

    pub fn key(&self) -> &IdempotencyKey {
        &self.key
    }
}

impl<R> Clone for Idempotent<R> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), render: self.render.clone() }
    }
}

impl<R> fmt::Debug for Idempotent<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}
