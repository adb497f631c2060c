//! One table of all services' routes.

use std::collections::HashMap;
use std::fmt;

use axum::Router;
use http::{HeaderValue, Method};
use platform::http::{Module, RouteInfo};

/// Two services claim the same path, or one that cannot be told apart.
#[derive(Debug)]
pub struct RouteConflict {
    pub service: &'static str,
    pub path: String,
    pub reason: String,
}

impl fmt::Display for RouteConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot serve {}: {}", self.service, self.path, self.reason)
    }
}

pub(crate) struct Table {
    paths: matchit::Router<PathEntry>,
    upstreams: Vec<Router>,
}

struct PathEntry {
    upstream: usize,
    routes: Vec<RouteInfo>,
    allow: HeaderValue,
}

/// Where a request goes.
pub(crate) enum Found<'a> {
    Route(&'a RouteInfo, &'a Router),
    /// The path exists, the method does not; with the `Allow` header's value.
    OtherMethods(&'a HeaderValue),
    Nothing,
}

impl Table {
    pub(crate) fn new(modules: Vec<Module>) -> Result<Self, RouteConflict> {
        let mut paths = matchit::Router::new();
        let mut upstreams = Vec::new();
        for (upstream, module) in modules.into_iter().enumerate() {
            let mut by_path: HashMap<String, Vec<RouteInfo>> = HashMap::new();
            for route in module.routes {
                by_path.entry(route.path.clone()).or_default().push(route);
            }
            for (path, routes) in by_path {
                let allow = platform::http::allow(routes.iter().map(|route| &route.method));
                let entry = PathEntry { upstream, routes, allow };
                paths.insert(path.clone(), entry).map_err(|error| RouteConflict {
                    service: module.name,
                    path,
                    reason: error.to_string(),
                })?;
            }
            upstreams.push(module.router);
        }
        Ok(Self { paths, upstreams })
    }

    pub(crate) fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let Ok(matched) = self.paths.at(path) else { return Found::Nothing };
        let entry = matched.value;
        let wanted = |wanted: &Method| entry.routes.iter().find(|route| route.method == *wanted);
        let head = || if *method == Method::HEAD { wanted(&Method::GET) } else { None };
        match wanted(method).or_else(head) {
            Some(route) => Found::Route(route, &self.upstreams[entry.upstream]),
            None => Found::OtherMethods(&entry.allow),
        }
    }
}
