//! One table of all services' routes.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

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
    upstreams: Vec<Upstream>,
    /// Every service has told its routes.
    is_whole: bool,
}

struct PathEntry {
    upstream: usize,
    routes: Vec<Arc<RouteInfo>>,
    allow: HeaderValue,
}

/// A service's routes.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) router: Router,
    /// In another process, which cannot see when a request came in here.
    pub(crate) is_remote: bool,
}

/// Where a request goes.
pub(crate) enum Found {
    Route(Arc<RouteInfo>, Upstream),
    /// The path exists, the method does not; with the `Allow` header's value.
    OtherMethods(HeaderValue),
    /// Nobody serves it, or perhaps a service that has not told its routes yet.
    Nothing {
        is_certain: bool,
    },
}

impl Table {
    /// Of the modules as they are now.
    pub(crate) fn new(modules: &[Module]) -> Result<Self, RouteConflict> {
        let mut paths = matchit::Router::new();
        let mut upstreams = Vec::new();
        let mut is_whole = true;
        for (upstream, module) in modules.iter().enumerate() {
            let described = module.changes().map(|changes| changes.current());
            is_whole &= described.as_ref().is_none_or(|described| described.is_known);
            let routes = described.as_ref().map_or(&module.routes, |described| &described.routes);
            let mut by_path: HashMap<&str, Vec<Arc<RouteInfo>>> = HashMap::new();
            for route in routes.iter() {
                by_path.entry(&route.path).or_default().push(Arc::new(route.clone()));
            }
            for (path, routes) in by_path {
                let allow = platform::http::allow(routes.iter().map(|route| &route.method));
                let entry = PathEntry { upstream, routes, allow };
                paths.insert(path, entry).map_err(|error| RouteConflict {
                    service: module.name,
                    path: path.to_owned(),
                    reason: error.to_string(),
                })?;
            }
            upstreams
                .push(Upstream { router: module.router.clone(), is_remote: described.is_some() });
        }
        Ok(Self { paths, upstreams, is_whole })
    }

    pub(crate) fn find(&self, method: &Method, path: &str) -> Found {
        let Ok(matched) = self.paths.at(path) else {
            return Found::Nothing { is_certain: self.is_whole };
        };
        let entry = matched.value;
        let wanted = |wanted: &Method| entry.routes.iter().find(|route| route.method == *wanted);
        let head = || if *method == Method::HEAD { wanted(&Method::GET) } else { None };
        match wanted(method).or_else(head) {
            Some(route) => Found::Route(route.clone(), self.upstreams[entry.upstream].clone()),
            None => Found::OtherMethods(entry.allow.clone()),
        }
    }
}
