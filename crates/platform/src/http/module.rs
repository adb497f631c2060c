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
    pub openapi: Arc<OpenApi>,
    pub routes: Arc<[RouteInfo]>,
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

/// A service's routes apart from what they work on: read, checked and described once, however many
/// services of the kind a process builds.
pub struct Routes<S>(Result<Ready<S>, RouteError>);

struct Ready<S> {
    service: &'static str,
    router: axum::Router<S>,
    openapi: Arc<OpenApi>,
    infos: Arc<[RouteInfo]>,
    table: Arc<Table>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// What is wrong with them is told by [`Routes::over`].
    pub fn new(service: &'static str, routes: OpenApiRouter<S>) -> Self {
        Self(Ready::new(service, routes))
    }

    /// Lets them work on `state`, and puts authentication, permissions, deadlines, limits and
    /// idempotent replay around them; all of it is told in their OpenAPI document.
    ///
    /// An operation without a known `x-permission` is an error that names it. A path that is routed
    /// but not in the document is answered 404.
    pub fn over(&self, state: S, deps: ModuleDeps) -> Result<Module, RouteError> {
        let ready = self.0.as_ref().map_err(Clone::clone)?;
        let authenticator = Some(deps.authenticator.clone());
        let layer = Layer::new(ready.service, deps, ready.table.clone());
        let router = ready
            .router
            .clone()
            .with_state(state)
            .layer(axum::middleware::from_fn_with_state(Arc::new(layer), super::layer::handle))
            .layer(DefaultBodyLimit::disable());
        Ok(Module {
            name: ready.service,
            router,
            openapi: ready.openapi.clone(),
            routes: ready.infos.clone(),
            authenticator,
            changes: None,
        })
    }
}

impl<S: Clone + Send + Sync + 'static> Ready<S> {
    fn new(service: &'static str, routes: OpenApiRouter<S>) -> Result<Self, RouteError> {
        let (router, mut openapi) = routes.split_for_parts();
        let mut infos = Vec::new();
        for (path, item) in &mut openapi.paths.paths {
            for (method, operation) in document::operations(item) {
                let route = RouteInfo::read(&method, path, operation).map_err(|fault| {
                    RouteError { service, method: method.clone(), path: path.clone(), fault }
                })?;
                document::describe(operation, &route);
                infos.push(route);
            }
        }
        document::add_components(&mut openapi);
        let (openapi, table) = (Arc::new(openapi), Arc::new(Table::new(service, &infos)));
        Ok(Self { service, router, openapi, infos: infos.into(), table })
    }
}

/// [`Routes::over`] nothing more than what `routes` have already.
pub fn module(
    name: &'static str,
    routes: OpenApiRouter<()>,
    deps: ModuleDeps,
) -> Result<Module, RouteError> {
    Routes::new(name, routes).over((), deps)
}
