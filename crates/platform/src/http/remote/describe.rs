//! A service's routes as JSON, for the gateway: every rule that the service itself applies, and
//! its part of the OpenAPI document.

use std::future::{Ready, ready};
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::body::{Body, Bytes};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::openapi::OpenApi;

use super::Described;
use crate::http::{IdempotencyRule, Module, RouteInfo};

/// Where a service tells its routes, on the same port. The gateway passes nothing on to it.
pub(in crate::http) const MODULE_PATH: &str = "/.mercat/module";
/// Grows when an older reader would misunderstand; what is only added does not count.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    service: String,
    routes: Vec<WrittenRoute>,
    openapi: OpenApi,
}

#[derive(Serialize, Deserialize)]
struct WrittenRoute {
    method: String,
    path: String,
    operation_id: Option<String>,
    access: String,
    ignores_credentials: bool,
    deadline_ms: u64,
    body_limit: u64,
    idempotency: WrittenRule,
    declared_headers: Vec<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenRule {
    Ignored,
    Optional,
    Required,
}

type Answer = Ready<Response>;

/// The handler of [`MODULE_PATH`].
pub(in crate::http) fn description(
    module: &Module,
) -> Result<impl Fn(HeaderMap) -> Answer + Clone + Send + Sync + 'static, String> {
    let body = Bytes::from(write(module)?);
    let tag = tag_of(&body).map_err(|error| format!("{}: {error}", module.name))?;
    let tag = HeaderValue::try_from(format!("\"{tag}\"")).map_err(|error| error.to_string())?;
    Ok(move |asked: HeaderMap| {
        let is_known = asked.get(header::IF_NONE_MATCH) == Some(&tag);
        let mut response = if is_known {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            Response::new(Body::from(body.clone()))
        };
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response.headers_mut().insert(header::ETAG, tag.clone());
        ready(response)
    })
}

fn write(module: &Module) -> Result<Vec<u8>, String> {
    let written = Written {
        format: FORMAT,
        service: module.name.to_owned(),
        routes: module.routes.iter().map(WrittenRoute::from).collect(),
        openapi: OpenApi::clone(&module.openapi),
    };
    serde_json::to_vec(&written).map_err(|error| format!("{}: {error}", module.name))
}

/// The same for all processes of one version, whatever the order of their fields.
fn tag_of(json: &[u8]) -> serde_json::Result<String> {
    let mut digest = Sha256::new();
    feed(&mut digest, &serde_json::from_slice(json)?);
    Ok(URL_SAFE_NO_PAD.encode(digest.finalize()))
}

fn feed(digest: &mut Sha256, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            digest.update(b"{");
            for (name, value) in fields {
                digest.update(name.as_bytes());
                digest.update(b"\0");
                feed(digest, value);
            }
            digest.update(b"}");
        }
        Value::Array(items) => {
            digest.update(b"[");
            for item in items {
                feed(digest, item);
            }
            digest.update(b"]");
        }
        plain => {
            digest.update(plain.to_string());
            digest.update(b",");
        }
    }
}

/// An error says what is wrong with what `service` told.
pub(super) fn read(service: &str, bytes: &[u8]) -> Result<Described, String> {
    let unreadable = |error| format!("its routes cannot be read: {error}");
    let mut told: Value = serde_json::from_slice(bytes).map_err(unreadable)?;
    name_any_type(&mut told["openapi"]);
    let written: Written = serde_json::from_value(told).map_err(unreadable)?;
    if written.format != FORMAT {
        return Err(format!("its routes are of format {}, not {FORMAT}", written.format));
    }
    if written.service != service {
        return Err(format!("{} answers where {service} is expected", written.service));
    }
    let routes = written.routes.into_iter().map(RouteInfo::try_from);
    Ok(Described {
        routes: routes.collect::<Result<_, _>>()?,
        openapi: written.openapi.into(),
        is_known: true,
    })
}

/// A schema that takes anything is written as `{}`, or with words alone, which utoipa does not read
/// back; it does when there is a type, and that is null.
fn name_any_type(value: &mut Value) {
    const TYPED: [&str; 5] = ["$ref", "type", "oneOf", "allOf", "anyOf"];
    let mark = |schema: &mut Value| {
        if let Value::Object(schema) = schema
            && !TYPED.iter().any(|key| schema.contains_key(*key))
        {
            schema.insert("type".to_owned(), Value::Null);
        }
    };
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match (name.as_str(), &mut *inner) {
                    ("schema" | "items" | "additionalProperties", schema) => mark(schema),
                    ("properties" | "schemas", Value::Object(named)) => {
                        named.values_mut().for_each(mark);
                    }
                    _ => {}
                }
                name_any_type(inner);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(name_any_type),
        _ => {}
    }
}

impl From<&RouteInfo> for WrittenRoute {
    fn from(route: &RouteInfo) -> Self {
        Self {
            method: route.method.to_string(),
            path: route.path.clone(),
            operation_id: route.operation_id.clone(),
            access: route.access.to_string(),
            ignores_credentials: route.ignores_credentials,
            deadline_ms: u64::try_from(route.deadline.as_millis()).unwrap_or(u64::MAX),
            body_limit: route.body_limit,
            idempotency: match route.idempotency {
                IdempotencyRule::Ignored => WrittenRule::Ignored,
                IdempotencyRule::Optional => WrittenRule::Optional,
                IdempotencyRule::Required => WrittenRule::Required,
            },
            declared_headers: route.declared_headers.iter().map(ToString::to_string).collect(),
        }
    }
}

impl TryFrom<WrittenRoute> for RouteInfo {
    type Error = String;
    fn try_from(route: WrittenRoute) -> Result<Self, String> {
        let WrittenRoute { method, path, .. } = route;
        let fault = |what: &str| format!("{method} {path}: {what}");
        let headers = route.declared_headers.iter().map(|name| name.parse::<HeaderName>());
        Ok(Self {
            access: route.access.parse().map_err(|error: String| fault(&error))?,
            declared_headers: headers
                .collect::<Result<_, _>>()
                .map_err(|error| fault(&error.to_string()))?,
            operation_id: route.operation_id,
            ignores_credentials: route.ignores_credentials,
            deadline: Duration::from_millis(route.deadline_ms),
            body_limit: route.body_limit,
            idempotency: match route.idempotency {
                WrittenRule::Ignored => IdempotencyRule::Ignored,
                WrittenRule::Optional => IdempotencyRule::Optional,
                WrittenRule::Required => IdempotencyRule::Required,
            },
            method: Method::from_bytes(method.as_bytes())
                .map_err(|_| fault("is no method of HTTP"))?,
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_of_anything_is_read_as_it_was_written() {
        let anything = serde_json::json!({
            "openapi": "3.1.0", "info": { "title": "a", "version": "1" },
            "paths": { "/a": { "post": {
                "operationId": "a",
                "requestBody": { "content": { "application/json": { "schema": {} } } },
                "responses": {}
            } } },
            "components": { "schemas": { "Any": { "description": "Anything." }, "Held": {
                "type": "object",
                "properties": { "free": {}, "list": { "type": "array", "items": {} } }
            } } }
        });
        let told = serde_json::json!({
            "format": FORMAT, "service": "a", "routes": [], "openapi": anything
        });
        let read = read("a", told.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&*read.openapi).unwrap(), anything);
    }

    #[test]
    fn the_tag_tells_contents_apart_and_not_the_order_of_fields() {
        let tag = |text: &str| tag_of(text.as_bytes()).unwrap();
        let one = tag(r#"{"a": 1, "b": {"c": [1, "x"], "d": null}}"#);
        assert_eq!(one, tag(r#"{"b": {"d": null, "c": [1, "x"]}, "a": 1}"#));
        for other in [
            r#"{"a": 1, "b": {"c": ["x", 1], "d": null}}"#,
            r#"{"a": 1, "b": {"c": [1, "x"]}, "d": null}"#,
            r#"{"a": 1, "b": {"c": [1, "x"], "d": "null"}}"#,
        ] {
            assert_ne!(one, tag(other), "{other}");
        }
    }
}
