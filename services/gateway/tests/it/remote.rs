//! The gateway before a service in another process.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use gateway::{About, Config, Needs};
use http::{Request, StatusCode};
use platform::Env;
use platform::http::{
    ClientNetwork, Ctx, Module, ModuleDeps, RemoteConfig, ServerLimits, ServicePort,
    inner_networks, ok, remote_module, serve, service_router,
};
use platform::peer::PeerConfig;
use platform::shutdown::{Phase, Shutdown};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::deps;

const LONG: Duration = Duration::from_secs(20);

#[utoipa::path(get, path = "/v1/told", operation_id = "told", responses((status = 200)),
    extensions(("x-permission" = json!("public")), ("x-deadline-ms" = json!(3000))))]
async fn told(Ctx(context): Ctx, ClientNetwork(network): ClientNetwork) -> Response {
    let left = context.remaining(&Env::system());
    ok(None, &json!({"from": network.map(|n| n.to_string()), "has_time": !left.is_zero()}))
}

#[utoipa::path(get, path = "/v2/told", operation_id = "told_anew", responses((status = 200)),
    extensions(("x-permission" = json!("public"))))]
async fn told_anew() -> Response {
    ok(None, &json!({"version": 2}))
}

fn version(number: u32) -> OpenApiRouter {
    let routes = OpenApiRouter::new().routes(routes!(told));
    if number == 1 { routes } else { routes.routes(routes!(told_anew)) }
}

fn service(env: &Env, listener: TcpListener, number: u32) -> Shutdown {
    let shutdown = Shutdown::new();
    shutdown.ready();
    let module = platform::http::module("made-up", version(number), deps(env)).unwrap();
    let port = ServicePort {
        env: env.clone(),
        module,
        grpc: None,
        descriptors: &[],
        shutdown: shutdown.clone(),
        trusted: inner_networks(),
    };
    let limits = ServerLimits {
        drain_timeout: Duration::from_secs(1),
        ..ServerLimits::inner(inner_networks())
    };
    let router = service_router(port).unwrap();
    let served = serve(env.clone(), listener, router, limits, shutdown.clone());
    env.spawn("service", async move { served.await.unwrap() });
    shutdown
}

async fn listen(address: &str) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn gateway(env: &Env, address: &str, wait: Duration) -> Router {
    build(env, remote(env, address, wait).await)
}

async fn remote(env: &Env, address: &str, wait: Duration) -> Module {
    let peer = PeerConfig::new("made-up", vec![format!("http://{address}")]);
    let refresh_every = Duration::from_millis(50);
    let config = RemoteConfig { wait, refresh_every, ..RemoteConfig::new(peer) };
    remote_module(env, config).await.unwrap()
}

fn build(env: &Env, module: Module) -> Router {
    build_all(env, vec![module])
}

fn build_all(env: &Env, modules: Vec<Module>) -> Router {
    let ModuleDeps { authenticator, .. } = deps(env);
    let about =
        About { version: "0".into(), topology: "test".into(), services: Vec::new(), demo: false };
    let (env, config) = (env.clone(), Config::default());
    gateway::build(Needs { env, config, authenticator, modules, about, files: None }).unwrap()
}

async fn get(router: &Router, path: &str) -> (StatusCode, Value) {
    let mut request = Request::get(path)
        .header("mercat-deadline-ms", "0")
        .header("mercat-client", "198.51.100.1/32")
        .body(Body::empty())
        .unwrap();
    let peer: std::net::SocketAddr = "203.0.113.9:4711".parse().unwrap();
    request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
    let Ok(response) = router.clone().oneshot(request).await;
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn until(env: &Env, router: &Router, path: &str, wanted: StatusCode) -> Value {
    let work = async {
        loop {
            let (status, body) = get(router, path).await;
            if status == wanted {
                return body;
            }
            // Not more than the rate limit of a stranger allows.
            env.sleep(Duration::from_millis(20)).await;
        }
    };
    env.timeout(LONG, work).await.unwrap()
}

#[tokio::test]
async fn a_client_and_its_time_are_told_to_the_service_by_the_gateway_alone() {
    let env = Env::system();
    let listener = listen("127.0.0.1:0").await;
    let address = listener.local_addr().unwrap().to_string();
    let _service = service(&env, listener, 1);
    let router = gateway(&env, &address, LONG).await;
    let (status, told) = get(&router, "/v1/told").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(told["from"], "203.0.113.9/32");
    // What only processes of ours ask of each other is no route.
    assert_eq!(get(&router, "/.mercat/module").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn routes_of_a_new_version_are_served_without_a_restart() {
    let env = Env::system();
    let listener = listen("127.0.0.1:0").await;
    let address = listener.local_addr().unwrap().to_string();
    let old = service(&env, listener, 1);
    let router = gateway(&env, &address, LONG).await;
    assert_eq!(get(&router, "/v2/told").await.0, StatusCode::NOT_FOUND);
    old.advance(Phase::Stopping);
    until(&env, &router, "/v1/told", StatusCode::SERVICE_UNAVAILABLE).await;
    // The table stays as it was.
    assert_eq!(get(&router, "/v2/told").await.0, StatusCode::NOT_FOUND);
    let _new = service(&env, listen(&address).await, 2);
    let told = until(&env, &router, "/v2/told", StatusCode::OK).await;
    assert_eq!(told, json!({"version": 2}));
    let document = until(&env, &router, "/openapi.json", StatusCode::OK).await;
    assert!(document["paths"]["/v2/told"].is_object(), "{document}");
}

#[tokio::test]
async fn a_service_that_was_never_there_is_503_until_it_is() {
    let env = Env::system();
    let listener = listen("127.0.0.1:0").await;
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let router = gateway(&env, &address, Duration::from_millis(10)).await;
    let (status, problem) = get(&router, "/v1/told").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(problem["type"], "https://mercat.dev/problems/service-unavailable");
    let _service = service(&env, listen(&address).await, 1);
    until(&env, &router, "/v1/told", StatusCode::OK).await;
    assert_eq!(get(&router, "/v1/none").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn new_routes_that_belong_to_somebody_else_are_refused_and_the_old_ones_stay() {
    let env = Env::system();
    let listener = listen("127.0.0.1:0").await;
    let address = listener.local_addr().unwrap().to_string();
    let old = service(&env, listener, 1);
    let far = remote(&env, &address, LONG).await;
    let mut changes = far.changes().unwrap();
    let routes = OpenApiRouter::new().routes(routes!(told_anew));
    let near = platform::http::module("other", routes, deps(&env)).unwrap();
    let router = build_all(&env, vec![far, near]);
    old.advance(Phase::Stopping);
    until(&env, &router, "/v1/told", StatusCode::SERVICE_UNAVAILABLE).await;
    let _new = service(&env, listen(&address).await, 2);
    env.timeout(LONG, changes.next()).await.unwrap().unwrap();
    until(&env, &router, "/v1/told", StatusCode::OK).await;
    assert_eq!(get(&router, "/v2/told").await, (StatusCode::OK, json!({"version": 2})));
}
