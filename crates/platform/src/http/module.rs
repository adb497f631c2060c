//! From a service's routes to something that may be served.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::layer::{Layer, Table};
use super::remote::Changes;
use super::{RouteError, RouteInfo, document};
use crate::auth::Authenticator;
use crate::env::Env;
use crate::executor::Executor;

/// What every service's routes need.
#[derive(Clone)]
pub struct ModuleDeps {
    pub env: Env,
    pub authenticator: Arc<Authenticator>,
    /// Its store keeps the answers of requests with an idempotency key.
    pub executor: Executor,
}

/// A service's REST side, ready to serve.
#[derive(Clone)]
pub struct Module {
    pub name: &'static str,
    pub router: axum::Router,
    pub openapi: OpenApi,
    pub routes: Vec<RouteInfo>,
    /// In this process; another's checks for itself.
    pub(crate) authenticator: Option<Arc<Authenticator>>,
    pub(super) changes: Option<Changes>,
}

impl Module {
    /// Of a service in another process: tells when its routes are others.
    pub fn changes(&self) -> Option<Changes> {
        self.changes.clone()
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Module({}, {} routes)", self.name, self.routes.len())
    }
}

/// Puts authentication, permissions, deadlines, limits and idempotent replay around `routes`, and
/// tells all of it in their OpenAPI document.
///
/// An operation without a known `x-permission` is an error that names it. A path that is routed
/// but not in the document is answered 404.
pub fn module(
    name: &'static str,
    routes: OpenApiRouter<()>,
    deps: ModuleDeps,
) -> Result<Module, RouteError> {
    let (router, mut openapi) = routes.split_for_parts();
    let mut infos = Vec::new();
    for (path, item) in &mut openapi.paths.paths {
        for (method, operation) in document::operations(item) {
            let route = RouteInfo::read(&method, path, operation).map_err(|fault| RouteError {
                service: name,
                method: method.clone(),
                path: path.clone(),
                fault,
            })?;
            document::describe(operation, &route);
            infos.push(route);
        }
    }
    document::add_components(&mut openapi);
    let authenticator = Some(deps.authenticator.clone());
    let layer = Arc::new(Layer::new(name, deps, Table::new(name, &infos)));
    let router = router
        .layer(axum::middleware::from_fn_with_state(layer, super::layer::handle))
        .layer(DefaultBodyLimit::disable());
    Ok(Module { name, router, openapi, routes: infos, authenticator, changes: None })
}
