//! REST: routes with declared permissions, extractors, problems, the server.
//!
//! A service builds an `OpenApiRouter`, [`Routes`] make of it something that may be served:
//! every route authenticated, checked against its permission, bounded in time and size, replayed
//! when its idempotency key is known, and described in the OpenAPI document with all its answers.
//! A route that declares no permission does not start. Whatever goes wrong is a [`Problem`].

mod access;
mod activity;
mod body;
mod cards;
mod connection;
mod document;
mod extract;
mod framing;
mod head;
mod inside;
mod layer;
mod limits;
mod module;
mod network;
mod page;
mod path;
mod peers;
mod port;
mod problem;
mod query;
mod remote;
mod replay;
mod respond;
mod route;
pub mod server;
mod shape;
mod strict;

pub use access::Access;
pub use body::{DEFAULT_BODY_LIMIT, body_problem};
pub use cards::refuse_card_numbers;
pub use extract::{
    Body, ClientNetwork, Ctx, IfMatch, Locales, Once, Params, PathParams, RequiredOnce,
};
pub use inside::strip_internal;
pub use limits::ServerLimits;
pub use module::{Module, ModuleDeps, Routes, module};
pub use network::{Network, NotANetwork, client_of};
pub use page::{Page, PageParams};
pub use path::check as check_path;
pub use port::{ServicePort, inner_networks, service_router};
pub use problem::{Problem, ProblemDocument, ProblemField, status_of};
pub use remote::{Changes, Described, RemoteConfig, remote_module};
pub use respond::{accepted, created, json, no_content, ok, replay};
pub use route::{IdempotencyRule, RouteError, RouteInfo, allow};
pub use server::{serve, serve_tls};

/// How much time the caller has left, in milliseconds: set by the gateway for its services.
pub const DEADLINE_HEADER: &str = "mercat-deadline-ms";
/// Which network the request comes from, as [`Network`] is written: set by the gateway for its
/// services, which know no other address.
pub const CLIENT_HEADER: &str = "mercat-client";
/// Names a request in answers, logs and traces.
pub const REQUEST_ID_HEADER: &str = "x-request-id";
/// Tells that an answer is the saved one of an earlier request with the same idempotency key.
pub const REPLAYED_HEADER: &str = "idempotency-replayed";
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";
