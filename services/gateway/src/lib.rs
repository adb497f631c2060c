//! The single entry point. It owns nothing and depends on no service: each hands it a
//! [`platform::http::Module`], and this makes one address of them.
//!
//! [`routes`] is the merged route table, [`edge`] what happens to each request, [`headers`] which
//! headers from outside are dropped, [`openapi`] the one document, [`pages`] what a browser sees.

mod edge;
mod headers;
mod openapi;
mod pages;
mod routes;

use std::sync::Arc;

use axum::Router;
use http::{HeaderName, HeaderValue, Method, header};
use platform::Env;
use platform::auth::Authenticator;
use platform::http::Module;
use serde::{Deserialize, Serialize};
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

pub use pages::About;
pub use routes::RouteConflict;

pub const NAME: &str = "gateway";

/// `[gateway]` in `mercat.toml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Origins of shop fronts that browsers may call from, such as `https://shop.example`; `*` lets
    /// any call. No cookies are used, so `*` gives a foreign page nothing that `curl` lacks.
    pub cors_origins: Vec<String>,
    /// How long a browser may keep a preflight answer, in seconds.
    pub cors_max_age_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { cors_origins: vec!["*".to_owned()], cors_max_age_seconds: 600 }
    }
}

/// What the gateway is made of.
pub struct Needs {
    pub env: Env,
    pub config: Config,
    pub authenticator: Arc<Authenticator>,
    pub modules: Vec<Module>,
    /// What the page at `/` tells.
    pub about: About,
    /// Public files that belong to no service, such as the pictures of the demo shop.
    pub files: Option<Router>,
}

/// Why the gateway does not start.
#[derive(Debug)]
pub enum BuildError {
    Routes(RouteConflict),
    /// A configured origin is not one.
    Origin(String),
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Routes(conflict) => conflict.fmt(f),
            Self::Origin(origin) => write!(
                f,
                "gateway.cors_origins holds {origin:?}; it may hold \"*\" or origins such as \
                 \"https://shop.example\""
            ),
        }
    }
}

impl std::error::Error for BuildError {}

/// The one router of the shop.
pub fn build(needs: Needs) -> Result<Router, BuildError> {
    let cors = cors(&needs.config)?;
    let document = openapi::merge(&needs.modules, &needs.about);
    let table = routes::Table::new(needs.modules).map_err(BuildError::Routes)?;
    let edge = Arc::new(edge::Edge { env: needs.env, authenticator: needs.authenticator, table });
    let files = needs.files.unwrap_or_default();
    let own: Router<Arc<edge::Edge>> =
        pages::router(document, &needs.about).merge(files.with_state(()));
    let own = own.layer(axum::middleware::map_response(edge::harden));
    Ok(own.fallback(edge::handle).with_state(edge).layer(cors))
}

fn cors(config: &Config) -> Result<CorsLayer, BuildError> {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let request_id = HeaderName::from_static(platform::http::REQUEST_ID_HEADER);
    let replayed = HeaderName::from_static(platform::http::REPLAYED_HEADER);
    let layer = CorsLayer::new()
        .allow_methods(methods)
        // `*` would not cover `Authorization` (Fetch standard, CORS-safelisted request headers).
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::ETAG, header::LOCATION, header::RETRY_AFTER, request_id, replayed])
        .max_age(std::time::Duration::from_secs(config.cors_max_age_seconds));
    if config.cors_origins.iter().any(|origin| origin == "*") {
        return Ok(layer.allow_origin(Any));
    }
    let mut origins = Vec::new();
    for origin in &config.cors_origins {
        let is_origin = origin.split_once("://").is_some_and(|(scheme, host)| {
            matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains('/')
        });
        let value = HeaderValue::from_str(origin).ok().filter(|_| is_origin);
        origins.push(value.ok_or_else(|| BuildError::Origin(origin.clone()))?);
    }
    Ok(layer.allow_origin(AllowOrigin::list(origins)))
}
