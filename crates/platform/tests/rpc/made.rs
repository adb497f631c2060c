//! Routes with one trait each that a proxy could lose.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use platform::Env;
use platform::http::{ClientNetwork, Ctx, Module, ok};
use serde_json::json;
use tokio::sync::Notify;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::world::deps;

/// What the routes saw.
#[derive(Clone)]
pub struct Seen {
    env: Env,
    pub slow: Arc<AtomicUsize>,
    pub begun: Arc<Notify>,
}

/// Tells what the service knows of the request.
#[utoipa::path(get, path = "/v1/told", operation_id = "told", responses((status = 200)),
    params(("X-Made" = Option<String>, Header)),
    extensions(("x-permission" = json!("public")), ("x-deadline-ms" = json!(20000))))]
async fn told(
    State(seen): State<Seen>,
    Ctx(context): Ctx,
    ClientNetwork(network): ClientNetwork,
    request: Request,
) -> Response {
    let header = |name: &str| {
        request.headers().get(name).map(|value| value.to_str().unwrap_or("?").to_owned())
    };
    let mut response = ok(
        None,
        &json!({
            "left_ms": context.remaining(&seen.env).as_millis() as u64,
            "request": &*context.correlation,
            "trace": context.trace.map(|trace| trace.to_string()),
            "from": network.map(|network| network.to_string()),
            "made": header("x-made"),
            "hop": header("x-hop"),
            "te": header("te"),
            "query": request.uri().query(),
        }),
    );
    response.headers_mut().insert("keep-alive", "timeout=5".parse().unwrap());
    response
}

/// Gives back what comes, as it comes.
#[utoipa::path(post, path = "/v1/mirror", operation_id = "mirror", responses((status = 200)),
    extensions(("x-permission" = json!("public")), ("x-idempotency" = json!("none")),
        ("x-body-limit" = json!(100_000_000)), ("x-deadline-ms" = json!(60000))))]
async fn mirror(request: Request) -> Response {
    Response::new(request.into_body())
}

/// Never answers.
#[utoipa::path(post, path = "/v1/slow", operation_id = "slow", responses((status = 200)),
    extensions(("x-permission" = json!("public")), ("x-idempotency" = json!("required"))))]
async fn slow(State(seen): State<Seen>) -> Response {
    seen.slow.fetch_add(1, Ordering::SeqCst);
    seen.begun.notify_one();
    std::future::pending().await
}

#[utoipa::path(get, path = "/v1/staff", operation_id = "staff", responses((status = 200)),
    extensions(("x-permission" = json!("staff"))))]
async fn staff() -> Response {
    Response::new(Body::empty())
}

#[utoipa::path(get, path = "/v2/told", operation_id = "told_anew", responses((status = 200)),
    extensions(("x-permission" = json!("public"))))]
async fn told_anew() -> Response {
    ok(None, &json!({"version": 2}))
}

/// The service as it is, or in its next version, which has one route more.
pub fn made(env: &Env, is_next: bool) -> (Module, Seen) {
    let seen = Seen { env: env.clone(), slow: Arc::default(), begun: Arc::default() };
    let mut routes = OpenApiRouter::new()
        .routes(routes!(told))
        .routes(routes!(mirror))
        .routes(routes!(slow))
        .routes(routes!(staff));
    if is_next {
        routes = routes.routes(routes!(told_anew));
    }
    let module = platform::http::module("made", routes.with_state(seen.clone()), deps(env));
    (module.unwrap(), seen)
}
