//! What handlers take as arguments. Every refusal is a [`Problem`] that names the field.

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderName, header};
use axum::extract::path::ErrorKind as PathFault;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use garde::Validate;
use kernel::{FieldError, Locale};
use serde::de::DeserializeOwned;

use super::layer::Call;
use super::{CLIENT_HEADER, Network, Problem, body, query};
use crate::context::Context;
use crate::idempotency::IdempotencyKey;

/// Who asks, until when.
pub struct Ctx(pub Context);

/// A JSON body that holds every rule of its type.
pub struct Body<T>(pub T);

/// Query parameters that hold every rule of their type; each may be given once.
pub struct Params<T>(pub T);

/// Path parameters: a single value, a tuple or a struct.
pub struct PathParams<T>(pub T);

/// The version that the caller has seen; `None` when the header is absent or `*`.
pub struct IfMatch(pub Option<u64>);

/// The idempotency key, when the caller sent one.
pub struct Once(pub Option<IdempotencyKey>);

/// The idempotency key; 400 without.
pub struct RequiredOnce(pub IdempotencyKey);

/// Where the request comes from, as the gateway tells; `None` when nobody does.
pub struct ClientNetwork(pub Option<Network>);

/// What the reader understands, best first.
pub struct Locales(pub Vec<Locale>);

fn call(parts: &Parts) -> Result<&Call, Problem> {
    parts
        .extensions
        .get::<Call>()
        .ok_or_else(|| Problem::internal(&"a route is served outside of platform::http::module"))
}

impl<S: Sync> FromRequestParts<S> for Ctx {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(call(parts)?.context.clone()))
    }
}

impl<S: Sync> FromRequestParts<S> for Locales {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(call(parts)?.context.locales.clone()))
    }
}

impl<S: Sync> FromRequestParts<S> for ClientNetwork {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let told = parts.headers.get(CLIENT_HEADER).and_then(|value| value.to_str().ok());
        Ok(Self(told.and_then(|text| text.parse().ok())))
    }
}

impl<S: Sync> FromRequestParts<S> for Once {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(call(parts)?.once.clone()))
    }
}

impl<S: Sync> FromRequestParts<S> for RequiredOnce {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        call(parts)?.once.clone().map(Self).ok_or_else(super::replay::missing_key)
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if_match(&parts.headers).map(Self)
    }
}

fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = single(headers, &header::IF_MATCH)? else {
        return Ok(None);
    };
    if value == "*" {
        return Ok(None);
    }
    value
        .strip_prefix('"')
        .and_then(|v| v.strip_suffix('"'))
        .and_then(|v| v.parse().ok())
        .map(Some)
        .ok_or_else(|| {
            Problem::invalid_field("if-match", "must be one ETag as it was given, such as \"3\"")
        })
}

/// The one value of a header as visible ASCII; 400 when it is given twice.
pub(super) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Problem::invalid_field(name.as_str(), "is given twice"));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Problem::invalid_field(name.as_str(), "must be visible ASCII")),
    }
}

impl<S: Sync, T> FromRequestParts<S> for Params<T>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let value: T = query::parse(parts.uri.query().unwrap_or(""))?;
        validated(value).map(Self)
    }
}

impl<S: Sync, T> FromRequest<S> for Body<T>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, content) = request.into_parts();
        call(&parts)?;
        body::expect_json(&parts.headers)?;
        let bytes = body::collect(content).await?;
        validated(body::decode(&bytes)?).map(Self)
    }
}

fn validated<T: Validate<Context = ()>>(value: T) -> Result<T, Problem> {
    match value.validate() {
        Ok(()) => Ok(value),
        Err(report) => Err(Problem::invalid(
            report
                .iter()
                .take(100)
                .map(|(path, error)| FieldError::new(path.to_string(), error.message()))
                .collect(),
        )),
    }
}

impl<S: Sync + Send, T: DeserializeOwned + Send> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(path_problem(&rejection, &call(parts)?.route.path)),
        }
    }
}

fn path_problem(rejection: &PathRejection, template: &str) -> Problem {
    let PathRejection::FailedToDeserializePathParams(failure) = rejection else {
        return Problem::internal(rejection);
    };
    let expected = |what: &str| format!("is not a valid {what}");
    let (field, message) = match failure.kind() {
        PathFault::ParseErrorAtKey { key, expected_type, .. } => {
            (key.clone(), expected(expected_type))
        }
        PathFault::ParseErrorAtIndex { index, expected_type, .. } => {
            (parameter(template, *index), expected(expected_type))
        }
        PathFault::ParseError { expected_type, .. } => {
            (parameter(template, 0), expected(expected_type))
        }
        PathFault::InvalidUtf8InPathParam { key } => (key.clone(), "is not UTF-8".to_owned()),
        PathFault::DeserializeError { key, message, .. } => (key.clone(), message.clone()),
        PathFault::Message(message) => (parameter(template, 0), message.clone()),
        other => return Problem::internal(other),
    };
    Problem::invalid_field(field, message)
}

/// The name of the nth parameter of `/v1/carts/{id}/lines/{line}`.
fn parameter(template: &str, index: usize) -> String {
    template
        .split('{')
        .skip(1)
        .nth(index)
        .and_then(|rest| rest.split('}').next())
        .map_or_else(|| "path".to_owned(), |name| name.trim_start_matches('*').to_owned())
}

/// The languages of an `Accept-Language` header (RFC 9110, 12.5.4), best first, at most ten. What
/// is not of the form `en` or `pt-BR` is passed over, as the standard wants.
pub(super) fn locales(headers: &HeaderMap) -> Vec<Locale> {
    let Some(Ok(value)) = headers.get(header::ACCEPT_LANGUAGE).map(|v| v.to_str()) else {
        return Vec::new();
    };
    let mut wanted: Vec<(u16, Locale)> = value
        .split(',')
        .take(32)
        .filter_map(|range| {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let quality = match parameters.trim().strip_prefix("q=") {
                Some(q) => (q.trim().parse::<f32>().ok()?.clamp(0.0, 1.0) * 1000.0) as u16,
                None => 1000,
            };
            Some((quality, tag.trim().parse().ok()?)).filter(|_| quality > 0)
        })
        .collect();
    wanted.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    wanted.into_iter().take(10).map(|(_, locale)| locale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, ::http::HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn languages_come_best_first() {
        let headers =
            headers(header::ACCEPT_LANGUAGE, &["fr;q=0.4, de-AT, en;q=0.9, *;q=0.1, it;q=0"]);
        let tags: Vec<_> = locales(&headers).iter().map(ToString::to_string).collect();
        assert_eq!(tags, ["de-AT", "en", "fr"]);
    }

    #[test]
    fn if_match_takes_one_strong_etag() {
        let read = |values: &[&'static str]| if_match(&headers(header::IF_MATCH, values));
        assert_eq!(read(&["\"7\""]).unwrap(), Some(7));
        assert_eq!(read(&["*"]).unwrap(), None);
        assert_eq!(read(&[]).unwrap(), None);
        for bad in [&["7"][..], &["W/\"7\""], &["\"x\""], &["\"1\"", "\"2\""], &["\"1\", \"2\""]] {
            assert_eq!(read(bad).unwrap_err().errors()[0].field, "if-match", "{bad:?}");
        }
    }

    #[test]
    fn path_parameters_are_named_by_the_template() {
        assert_eq!(parameter("/v1/carts/{id}/lines/{line}", 1), "line");
        assert_eq!(parameter("/v1/{*rest}", 0), "rest");
    }
}
