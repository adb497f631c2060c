//! The gateway over one made-up service: what reaches it, and what is refused before.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may stop at the first surprise, as tests do"
)]

#[cfg(test)]
mod remote;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use gateway::{About, Config, Needs, RateLimit};
use http::{Request, StatusCode};
use platform::auth::Authenticator;
use platform::env::TestEnv;
use platform::http::{ClientNetwork, ModuleDeps, ok};
use platform::store::Schema;
use platform::testing;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Tells where the gateway says that the request comes from.
#[utoipa::path(get, path = "/v1/where", responses((status = 200)),
    extensions(("x-permission" = json!("public"))))]
async fn tell_where(ClientNetwork(network): ClientNetwork) -> Response {
    ok(None, &json!({"from": network.map(|network| network.to_string())}))
}

#[utoipa::path(post, path = "/v1/auth/login", responses((status = 200)),
    extensions(("x-permission" = json!("public")), ("x-auth" = json!("ignore"))))]
async fn login() -> Response {
    ok(None, &json!({}))
}

/// What a made-up service needs.
fn deps(env: &platform::Env) -> ModuleDeps {
    let (executor, _) = testing::executor_in_memory(&Schema::new("made-up", &[]));
    let authenticator = Arc::new(Authenticator::new(env.clone(), "shop", "shop"));
    ModuleDeps { env: env.clone(), authenticator, executor }
}

struct Shop {
    router: Router,
    test: TestEnv,
}

fn shop(config: Config) -> Shop {
    let (executor, test) = testing::executor_in_memory(&Schema::new("made-up", &[]));
    let authenticator = Arc::new(Authenticator::new(test.env.clone(), "shop", "shop"));
    let deps = ModuleDeps { env: test.env.clone(), authenticator: authenticator.clone(), executor };
    let routes = OpenApiRouter::new().routes(routes!(tell_where)).routes(routes!(login));
    let module = platform::http::module("made-up", routes, deps).unwrap();
    let about =
        About { version: "0".into(), topology: "test".into(), services: Vec::new(), demo: false };
    let needs = Needs {
        env: test.env.clone(),
        config,
        authenticator,
        modules: vec![module],
        about,
        files: None,
    };
    Shop { router: gateway::build(needs).unwrap(), test }
}

impl Shop {
    async fn ask(&self, peer: &str, request: http::request::Builder) -> (Response, Value) {
        let mut request = request.body(Body::empty()).unwrap();
        let peer: SocketAddr = format!("{peer}:4711").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        (Response::from_parts(parts, Body::empty()), body)
    }

    async fn login(&self, peer: &str) -> (Response, Value) {
        self.ask(peer, Request::post("/v1/auth/login")).await
    }
}

fn small() -> Config {
    let rate_limit = RateLimit {
        burst: 3,
        per_minute: 60,
        auth_burst: 2,
        auth_per_minute: 6,
        ..Default::default()
    };
    Config { rate_limit, ..Config::default() }
}

#[tokio::test]
async fn a_client_that_signs_in_too_often_is_told_when_to_come_again() {
    let shop = shop(small());
    for _ in 0..2 {
        assert_eq!(shop.login("127.0.0.1").await.0.status(), StatusCode::OK);
    }
    let (refused, problem) = shop.login("127.0.0.1").await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "10");
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    assert_eq!(problem["type"], "https://mercat.dev/problems/rate-limited");
    assert_eq!(problem["request_id"], refused.headers()["x-request-id"].to_str().unwrap());
    assert_eq!(shop.login("203.0.113.9").await.0.status(), StatusCode::OK);
    shop.test.advance(Duration::from_secs(10));
    assert_eq!(shop.login("127.0.0.1").await.0.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_general_limit_holds_for_strangers_and_not_on_loopback() {
    let shop = shop(small());
    let get = || Request::get("/v1/where");
    let mut refused = 0;
    for _ in 0..100 {
        assert_eq!(shop.ask("127.0.0.1", get()).await.0.status(), StatusCode::OK);
        let status = shop.ask("203.0.113.9", get()).await.0.status();
        refused += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(refused, 97);
    // A page that was refused may read it.
    let (answer, _) = shop.ask("203.0.113.9", get().header("origin", "https://shop.example")).await;
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn a_service_learns_the_client_from_the_gateway_alone() {
    let spoofed = || {
        Request::get("/v1/where")
            .header("mercat-client", "198.51.100.1/32")
            .header("x-forwarded-for", "198.51.100.2")
    };
    let plain = shop(Config::default());
    let (_, told) = plain.ask("203.0.113.9", spoofed()).await;
    assert_eq!(told, json!({"from": "203.0.113.9/32"}));
    let (_, told) = plain.ask("[2001:db8::7]", spoofed()).await;
    assert_eq!(told, json!({"from": "2001:db8::/64"}));

    let trusted_proxies = vec!["203.0.113.0/24".parse().unwrap()];
    let behind = shop(Config { trusted_proxies, ..Config::default() });
    let (_, told) = behind.ask("203.0.113.9", spoofed()).await;
    assert_eq!(told, json!({"from": "198.51.100.2/32"}));
    let (_, told) = behind.ask("192.0.2.1", spoofed()).await;
    assert_eq!(told, json!({"from": "192.0.2.1/32"}));
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_answered_with_those_it_does() {
    let shop = shop(Config::default());
    let (answer, _) = shop.ask("203.0.113.9", Request::delete("/v1/where")).await;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers()["allow"], "GET, HEAD");
}
