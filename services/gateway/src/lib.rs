//! The single entry point. It owns nothing and depends on no service: each hands it a
//! [`platform::http::Module`], and this makes one address of them.
//!
//! [`routes`] is the merged route table, [`refresh`] how a service's new routes become known,
//! [`limit`] how many requests a client may send, [`edge`] what happens to each, [`headers`] which
//! headers from outside are dropped, [`cors`] which pages may call, [`openapi`] the one document,
//! [`pages`] what a browser sees.

mod config;
mod cors;
mod edge;
mod headers;
mod limit;
mod openapi;
mod pages;
#[cfg(feature = "process")]
pub mod process;
mod refresh;
mod routes;

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use platform::Env;
use platform::auth::Authenticator;
use platform::http::Module;
use platform::tls::ServerTls;

pub use config::{Config, RateLimit};
pub use pages::About;
pub use routes::RouteConflict;

pub const NAME: &str = "gateway";

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
    /// Another key of the configuration, in words.
    Config(String),
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Routes(conflict) => conflict.fmt(f),
            Self::Config(text) => f.write_str(text),
            Self::Origin(origin) => write!(
                f,
                "gateway.cors_origins holds {origin:?}; it may hold \"*\" or origins such as \
                 \"https://shop.example\""
            ),
        }
    }
}

impl std::error::Error for BuildError {}

/// The certificate of the public address, when `[gateway.tls]` names one. An error names the key and
/// the file.
pub fn public_tls(env: &Env, config: &Config) -> Result<Option<ServerTls>, String> {
    ServerTls::new(env, &config.tls).map_err(|error| format!("gateway.{error}"))
}

/// The one router of the shop.
pub fn build(needs: Needs) -> Result<Router, BuildError> {
    needs.config.check()?;
    let cors = cors::layer(&needs.config)?;
    let limits = Arc::new(limit::Limits::new(&needs.env, &needs.config));
    let document = Arc::new(pages::Document::of(&needs.modules, &needs.about.version));
    let table = routes::Table::new(&needs.modules).map_err(BuildError::Routes)?;
    let edge = Arc::new(edge::Edge {
        env: needs.env,
        authenticator: needs.authenticator,
        table: ArcSwap::from_pointee(table),
    });
    let refresh = refresh::Refresh::new(needs.modules, &edge, &document);
    refresh.start(&edge.env);
    let files = needs.files.unwrap_or_default();
    let own: Router<Arc<edge::Edge>> =
        pages::router(document, &needs.about).merge(files.with_state(()));
    let own = own.layer(axum::middleware::map_response(edge::harden));
    // Inside of CORS, so that a page can read that it was refused.
    let guarded = axum::middleware::from_fn_with_state(limits, limit::guard);
    Ok(own.fallback(edge::handle).with_state(edge).layer(guarded).layer(cors))
}
