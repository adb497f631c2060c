//! Errors as the world sees them: RFC 9457, `application/problem+json`.

use std::borrow::Cow;
use std::sync::Arc;

use ::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Business, ErrorKind, FieldError};
use serde::Serialize;
use utoipa::ToSchema;

/// The one table from a kind of failure to an HTTP status.
pub const fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An answer that says what went wrong. Its `type` is `https://mercat.dev/problems/<slug>`: a
/// stable name to compare with, not an address to fetch.
#[derive(Clone, Debug)]
pub struct Problem(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    slug: Cow<'static, str>,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    request_id: Option<Arc<str>>,
}

/// The body of a problem, for the OpenAPI document.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// A stable name of the kind of problem. Compare it as a text; it is not fetched.
    #[serde(rename = "type")]
    #[schema(example = "https://mercat.dev/problems/invalid-request")]
    pub kind: String,
    /// The same for every problem of this type.
    #[schema(example = "Invalid request")]
    pub title: String,
    #[schema(minimum = 400, maximum = 599, example = 400)]
    pub status: u16,
    /// What is wrong with this request, for a person.
    pub detail: String,
    /// Names the request in our logs. The same as the header `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The fields at fault; empty when the fault is not in a field.
    pub errors: Vec<ProblemField>,
}

/// One field and what is wrong with it.
#[derive(Serialize, ToSchema)]
pub struct ProblemField {
    /// A dotted path, or the name of a header or query parameter.
    #[schema(example = "lines[2].quantity")]
    pub field: String,
    pub message: String,
}

#[derive(Serialize)]
struct Written<'a> {
    r#type: String,
    title: String,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    errors: &'a [FieldError],
}

impl Problem {
    pub fn new(
        kind: ErrorKind,
        slug: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::with_status(status_of(kind), slug, detail)
    }

    /// For the few statuses that only HTTP knows (405, 408, 415).
    pub fn with_status(
        status: StatusCode,
        slug: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Inner {
            status,
            slug: slug.into(),
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
            request_id: None,
        }))
    }

    /// 400 with slug `invalid-request`; the first field at fault is the detail.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.first() {
            Some(first) if first.field.is_empty() => first.message.clone(),
            Some(first) => format!("{}: {}", first.field, first.message),
            None => "The request breaks a rule.".to_owned(),
        };
        let mut problem = Self::new(ErrorKind::Invalid, "invalid-request", detail);
        problem.0.errors = errors;
        problem
    }

    /// [`Problem::invalid`] with one field.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    /// Whoever asks twice is told the same: that there is no such thing, or that it is not theirs.
    pub fn not_found() -> Self {
        Self::new(ErrorKind::NotFound, "not-found", "There is no such thing.")
    }

    /// A defect of ours. The text is for the log; the caller learns only that it happened.
    pub fn internal(text: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %text, "internal error");
        Self::concealed(ErrorKind::Internal, "internal".into())
    }

    /// Adds a field and what is wrong with it.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, message: impl Into<String>) -> Self {
        self.0.errors.push(FieldError::new(name, message));
        self
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    #[must_use]
    pub fn with_request_id(mut self, id: Arc<str>) -> Self {
        self.0.request_id = Some(id);
        self
    }

    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    pub fn slug(&self) -> &str {
        &self.0.slug
    }

    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    fn concealed(kind: ErrorKind, slug: Cow<'static, str>) -> Self {
        let detail = match kind {
            ErrorKind::Unavailable => "The service cannot answer right now. Try again shortly.",
            _ => "Something went wrong on our side. The request id lets us find it.",
        };
        Self::new(kind, slug, detail)
    }

    /// The body as it is sent.
    pub fn to_json(&self) -> Vec<u8> {
        let inner = &*self.0;
        let written = Written {
            r#type: format!("https://mercat.dev/problems/{}", inner.slug),
            title: title_of(&inner.slug),
            status: inner.status.as_u16(),
            detail: &inner.detail,
            request_id: inner.request_id.as_deref(),
            errors: &inner.errors,
        };
        serde_json::to_vec(&written).expect("texts and numbers always become JSON")
    }
}

/// `out-of-stock` is titled `Out of stock`.
fn title_of(slug: &str) -> String {
    let mut title = slug.replace('-', " ").replace("json", "JSON");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

/// What a service reports as a fact of its business. Internal and unavailable texts are logged and
/// not shown.
impl<E: Business> From<E> for Problem {
    fn from(error: E) -> Self {
        let (kind, slug) = (error.kind(), error.slug());
        let mut problem = match kind {
            ErrorKind::Internal => {
                tracing::error!(slug, error = %error, "internal error");
                Self::concealed(kind, slug.into())
            }
            ErrorKind::Unavailable => {
                tracing::warn!(slug, error = %error, "unavailable");
                Self::concealed(kind, slug.into())
            }
            _ => Self::new(kind, slug, error.to_string()),
        };
        problem.0.errors = error.fields();
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(axum::body::Body::from(self.to_json()));
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.0.status {
            StatusCode::UNAUTHORIZED => {
                let challenge = if self.0.slug == "invalid-token" {
                    "Bearer realm=\"mercat\", error=\"invalid_token\""
                } else {
                    "Bearer realm=\"mercat\""
                };
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        for (name, value) in &self.0.headers {
            headers.insert(name.clone(), value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Fact {
        #[error("only 2 of MUG are left")]
        OutOfStock,
        #[error("password=hunter2 at 10.0.0.1")]
        Defect,
    }
    impl Business for Fact {
        fn kind(&self) -> ErrorKind {
            match self {
                Self::OutOfStock => ErrorKind::Conflict,
                Self::Defect => ErrorKind::Internal,
            }
        }
        fn slug(&self) -> &'static str {
            match self {
                Self::OutOfStock => "out-of-stock",
                Self::Defect => "internal",
            }
        }
    }

    #[test]
    fn a_fact_of_the_business_is_told_with_its_slug() {
        let problem = Problem::from(Fact::OutOfStock).field("lines[0].quantity", "at most 2");
        let body: serde_json::Value = serde_json::from_slice(&problem.to_json()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "https://mercat.dev/problems/out-of-stock",
                "title": "Out of stock",
                "status": 409,
                "detail": "only 2 of MUG are left",
                "errors": [{"field": "lines[0].quantity", "message": "at most 2"}],
            })
        );
    }

    #[test]
    fn the_text_of_a_defect_never_leaves() {
        let problem = Problem::from(Fact::Defect);
        assert_eq!(problem.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!String::from_utf8(problem.to_json()).unwrap().contains("hunter2"));
    }

    #[test]
    fn whoever_is_not_signed_in_is_challenged() {
        let response =
            Problem::new(ErrorKind::Unauthenticated, "invalid-token", "").into_response();
        assert_eq!(
            response.headers()[header::WWW_AUTHENTICATE],
            "Bearer realm=\"mercat\", error=\"invalid_token\""
        );
    }
}
