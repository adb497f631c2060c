//! What the layer must know of a route, read once from its OpenAPI operation.

use std::time::Duration;

use ::http::{HeaderName, HeaderValue, Method};
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};

use super::body::DEFAULT_BODY_LIMIT;
use super::{Access, IDEMPOTENCY_HEADER};

const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
const MAX_DEADLINE: Duration = Duration::from_hours(1);

/// One operation: a method on a path template.
#[derive(Clone, Debug)]
pub struct RouteInfo {
    pub method: Method,
    /// The template, such as `/v1/carts/{id}`.
    pub path: String,
    pub operation_id: Option<String>,
    pub access: Access,
    /// `x-auth: "ignore"`: an `Authorization` header is not even looked at, so that a client with
    /// an expired token can still sign in.
    pub ignores_credentials: bool,
    pub deadline: Duration,
    /// In bytes.
    pub body_limit: u64,
    pub idempotency: IdempotencyRule,
    /// Headers that the operation declares as parameters; they are part of what makes a request
    /// the same as an earlier one.
    pub(super) declared_headers: Vec<HeaderName>,
}

/// What an `Idempotency-Key` means to a route (`x-idempotency`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdempotencyRule {
    /// Reads, and uploads that are streamed (`"none"`): the header is ignored.
    Ignored,
    /// The default of writes.
    Optional,
    /// `"required"`: 400 without.
    Required,
}

/// Why a service's routes are refused at start-up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{service}: {method} {path}: {fault}")]
pub struct RouteError {
    pub service: &'static str,
    pub method: Method,
    pub path: String,
    pub fault: String,
}

impl RouteInfo {
    /// False for GET, HEAD, OPTIONS.
    pub fn writes(&self) -> bool {
        !self.method.is_safe()
    }

    pub(super) fn read(method: &Method, path: &str, operation: &Operation) -> Result<Self, String> {
        let extension =
            |name: &str| operation.extensions.as_ref().and_then(|all| all.get(name).cloned());
        let text = |name: &str| match extension(name) {
            None => Ok(None),
            Some(serde_json::Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("{name} must be a text, not {other}")),
        };
        let number = |name: &str| match extension(name) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) if number > 0 => Ok(Some(number)),
                _ => Err(format!("{name} must be a number over 0, not {value}")),
            },
        };
        let access = text("x-permission")?
            .ok_or("declares no x-permission")?
            .parse()
            .map_err(|fault| format!("x-permission {fault}"))?;
        let ignores_credentials = match text("x-auth")?.as_deref() {
            None => false,
            Some("ignore") if access == Access::Public => true,
            Some(other) => {
                return Err(format!("x-auth {other:?} is not \"ignore\" on a public route"));
            }
        };
        let idempotency = match text("x-idempotency")?.as_deref() {
            _ if method.is_safe() => IdempotencyRule::Ignored,
            None | Some("optional") => IdempotencyRule::Optional,
            Some("required") => IdempotencyRule::Required,
            Some("none") => IdempotencyRule::Ignored,
            Some(other) => {
                return Err(format!(
                    "x-idempotency {other:?} is none of \"required\", \"optional\" and \"none\""
                ));
            }
        };
        let deadline = number("x-deadline-ms")?.map_or(DEFAULT_DEADLINE, Duration::from_millis);
        if deadline > MAX_DEADLINE {
            return Err("x-deadline-ms is over an hour".to_owned());
        }
        Ok(Self {
            method: method.clone(),
            path: path.to_owned(),
            operation_id: operation.operation_id.clone(),
            access,
            ignores_credentials,
            deadline,
            body_limit: number("x-body-limit")?.unwrap_or(DEFAULT_BODY_LIMIT),
            idempotency,
            declared_headers: declared_headers(operation),
        })
    }
}

/// The `Allow` header of a path that knows these methods: whoever answers GET answers HEAD too.
pub fn allow<'a>(methods: impl IntoIterator<Item = &'a Method>) -> HeaderValue {
    let mut names: Vec<&str> = methods.into_iter().map(Method::as_str).collect();
    if names.contains(&"GET") && !names.contains(&"HEAD") {
        names.push("HEAD");
    }
    names.sort_unstable();
    names.dedup();
    HeaderValue::try_from(names.join(", ")).expect("method names are visible ASCII")
}

fn declared_headers(operation: &Operation) -> Vec<HeaderName> {
    parameters(operation)
        .filter(|parameter| matches!(parameter.parameter_in, ParameterIn::Header))
        .filter(|parameter| !parameter.name.eq_ignore_ascii_case(IDEMPOTENCY_HEADER))
        .filter_map(|parameter| parameter.name.parse().ok())
        .collect()
}

pub(super) fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_names_every_method_once_and_head_beside_get() {
        let post = [Method::POST, Method::DELETE];
        assert_eq!(allow(&post), "DELETE, POST");
        let get = [Method::PUT, Method::GET, Method::GET];
        assert_eq!(allow(&get), "GET, HEAD, PUT");
    }
}
