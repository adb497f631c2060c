//! A service's routes in another process, as the gateway has them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::StreamExt as _;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use platform::Env;
use platform::http::{Module, RemoteConfig, ServerLimits, inner_networks, remote_module};
use platform::peer::PeerConfig;
use platform::shutdown::Shutdown;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::fault::Line;
use crate::made::made;
use crate::world::{Echo, LONG, Process, peer};

async fn serve(env: &Env, module: Module) -> Process {
    Process::start(env, module, Echo::named(env, "made")).await
}

fn config(peer: PeerConfig) -> RemoteConfig {
    let refresh_every = Duration::from_millis(50);
    RemoteConfig { wait: LONG, refresh_every, ..RemoteConfig::new(peer) }
}

async fn remote(env: &Env, url: String) -> Module {
    remote_module(env, config(peer(vec![url]))).await.unwrap()
}

async fn ask(module: &Module, request: Request<Body>) -> (http::response::Parts, Value) {
    let Ok(response) = module.router.clone().oneshot(request).await;
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (head, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn get(path: &str) -> http::request::Builder {
    Request::get(path)
}

fn empty(builder: http::request::Builder) -> Request<Body> {
    builder.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn every_rule_of_a_route_arrives() {
    let env = Env::system();
    let (module, _) = made(&env, false);
    let process = serve(&env, module.clone()).await;
    let far = remote(&env, process.url()).await;
    assert_eq!(format!("{:?}", far.routes), format!("{:?}", module.routes));
    let document = |module: &Module| serde_json::to_value(&*module.openapi).unwrap();
    assert!(document(&far) == document(&module));
    assert_eq!(far.name, "made");
}

#[tokio::test]
async fn what_belongs_to_the_request_travels_and_what_belongs_to_the_connection_does_not() {
    let env = Env::system();
    let process = serve(&env, made(&env, false).0).await;
    let far = remote(&env, process.url()).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = get("http://shop.example/v1/told?a=b%20c")
        .header("host", "shop.example")
        .header("x-request-id", "named-here")
        .header("traceparent", trace)
        .header("mercat-client", "203.0.113.9/32")
        .header("mercat-deadline-ms", "1500")
        .header("x-made", "kept")
        .header("connection", "x-hop, keep-alive")
        .header("x-hop", "dropped")
        .header("te", "gzip");
    let (head, told) = ask(&far, empty(request)).await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.headers["x-request-id"], "named-here");
    assert!(!head.headers.contains_key("keep-alive"));
    assert!(told["left_ms"].as_u64().unwrap() <= 1_500, "{told}");
    assert!(told["trace"].as_str().unwrap().contains("0af7651916cd43dd8448eb211c80319c"), "{told}");
    for (key, expected) in [
        ("request", json!("named-here")),
        ("from", json!("203.0.113.9/32")),
        ("made", json!("kept")),
        ("hop", Value::Null),
        ("te", Value::Null),
        ("query", json!("a=b%20c")),
    ] {
        assert_eq!(told[key], expected, "{key}");
    }
    // A problem of the service is the service's.
    let (head, problem) = ask(&far, empty(get("/v1/staff"))).await;
    assert_eq!(head.status, StatusCode::UNAUTHORIZED);
    assert_eq!(problem["type"], "https://mercat.dev/problems/not-signed-in");
    assert_eq!(problem["request_id"], head.headers["x-request-id"].to_str().unwrap());
}

#[tokio::test]
async fn a_content_type_does_not_make_a_call_of_a_request() {
    let env = Env::system();
    let process = serve(&env, made(&env, false).0).await;
    let far = remote(&env, process.url()).await;
    let request = get("/v1/staff").header("content-type", "application/grpc");
    let (head, problem) = ask(&far, empty(request)).await;
    assert_eq!(head.status, StatusCode::UNAUTHORIZED);
    assert_eq!(problem["type"], "https://mercat.dev/problems/not-signed-in");
}

#[tokio::test]
async fn a_body_goes_through_while_it_is_still_coming() {
    let env = Env::system();
    let process = serve(&env, made(&env, false).0).await;
    let far = remote(&env, process.url()).await;
    let (give, given) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let coming = futures_util::stream::unfold(given, |mut given| async move {
        given.recv().await.map(|piece| (piece, given))
    });
    let body = Body::from_stream(coming);
    let request = Request::post("/v1/mirror").body(body).unwrap();
    let Ok(response) = far.router.clone().oneshot(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut pieces = response.into_body().into_data_stream();
    // Each piece comes back before the next one is sent.
    for number in 0..20_u8 {
        give.send(Ok(vec![number; 1_000].into())).await.unwrap();
        let mut back = 0;
        while back < 1_000 {
            let piece = pieces.next().await.unwrap().unwrap();
            assert!(piece.iter().all(|byte| *byte == number));
            back += piece.len();
        }
    }
    // And much of it at once.
    let sender = give.clone();
    env.spawn("sender", async move {
        for _ in 0..100 {
            sender.send(Ok(vec![7; 100_000].into())).await.unwrap();
        }
    });
    let mut back = 0;
    while back < 10_000_000 {
        back += pieces.next().await.unwrap().unwrap().len();
    }
    drop(give);
    while let Some(piece) = pieces.next().await {
        assert!(piece.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_the_service_before_its_end() {
    let env = Env::system();
    let process = serve(&env, made(&env, false).0).await;
    let far = remote(&env, process.url()).await;
    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 50_000]));
    let request = Request::post("/v1/slow").header("idempotency-key", "k");
    let request = request.body(Body::from_stream(endless)).unwrap();
    let (head, problem) = env.timeout(LONG, ask(&far, request)).await.unwrap();
    assert_eq!(head.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(problem["type"], "https://mercat.dev/problems/body-too-large");
}

#[tokio::test]
async fn a_service_that_is_away_is_503_at_once_and_used_when_it_is_back() {
    let env = Env::system();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let started = |listener| {
        let (echo, networks) = (Echo::named(&env, "made"), inner_networks());
        Process::start_on(&env, listener, made(&env, false).0, echo, None, networks)
    };
    let process = started(listener);
    let far = remote(&env, process.url()).await;
    assert_eq!(ask(&far, empty(get("/v1/told"))).await.0.status, StatusCode::OK);
    process.stop();
    let gone = async {
        loop {
            let (head, problem) = ask(&far, empty(get("/v1/told"))).await;
            if head.status == StatusCode::SERVICE_UNAVAILABLE {
                return (head, problem);
            }
        }
    };
    let (head, problem) = env.timeout(LONG, gone).await.unwrap();
    assert_eq!(head.headers["retry-after"], "1");
    assert_eq!(problem["type"], "https://mercat.dev/problems/service-unavailable");
    assert_eq!(problem["request_id"], head.headers["x-request-id"].to_str().unwrap());
    let back = async {
        let listener = loop {
            match TcpListener::bind(address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let _process = started(listener);
        while ask(&far, empty(get("/v1/told"))).await.0.status != StatusCode::OK {}
    };
    env.timeout(LONG, back).await.unwrap();
}

#[tokio::test]
async fn a_write_whose_connection_broke_is_told_so_and_not_sent_again() {
    let env = Env::system();
    let (module, seen) = made(&env, false);
    let process = serve(&env, module).await;
    let line = Line::to(&env, process.address).await;
    let far = remote(&env, line.url()).await;
    let request = Request::post("/v1/slow").header("idempotency-key", "k");
    let ((head, problem), ()) = tokio::join!(ask(&far, empty(request)), async {
        seen.begun.notified().await;
        line.cut_once();
    });
    assert_eq!(head.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(problem["type"], "https://mercat.dev/problems/answer-lost");
    assert_eq!(ask(&far, empty(get("/v1/told"))).await.0.status, StatusCode::OK);
    assert_eq!(seen.slow.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_service_that_hangs_is_answered_for_at_the_deadline() {
    let env = Env::system();
    let (module, seen) = made(&env, false);
    let process = serve(&env, module).await;
    let line = Line::to(&env, process.address).await;
    let patient = PeerConfig { ping_timeout: LONG, ..peer(vec![line.url()]) };
    let far = remote_module(&env, config(patient)).await.unwrap();
    let request = Request::post("/v1/slow")
        .header("idempotency-key", "k")
        .header("mercat-deadline-ms", "300");
    let ((head, _), ()) = tokio::join!(ask(&far, empty(request)), async {
        seen.begun.notified().await;
        line.die();
    });
    assert_eq!(head.status, StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn a_new_version_tells_its_routes_and_an_absence_changes_nothing() {
    let env = Env::system();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let networks = inner_networks;
    let old = Process::start_on(
        &env,
        listener,
        made(&env, false).0,
        Echo::named(&env, "made"),
        None,
        networks(),
    );
    let far = remote(&env, old.url()).await;
    let mut changes = far.changes().unwrap();
    let before = changes.current();
    old.stop();
    while ask(&far, empty(get("/v1/told"))).await.0.status == StatusCode::OK {}
    assert_eq!(changes.current().routes.len(), before.routes.len());
    let listener = env
        .timeout(LONG, async {
            loop {
                if let Ok(listener) = TcpListener::bind(address).await {
                    return listener;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    let next = made(&env, true).0;
    let _new = Process::start_on(&env, listener, next, Echo::named(&env, "made"), None, networks());
    env.timeout(LONG, changes.next()).await.unwrap().unwrap();
    let after = changes.current();
    assert_eq!(after.routes.len(), before.routes.len() + 1);
    assert!(after.openapi.paths.paths.contains_key("/v2/told"));
    let (_, told) = ask(&far, empty(get("/v2/told"))).await;
    assert_eq!(told, json!({"version": 2}));
}

#[tokio::test]
async fn a_service_that_is_not_there_at_the_start_is_found_later() {
    let env = Env::system();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let config = RemoteConfig {
        wait: Duration::from_millis(100),
        ..config(peer(vec![format!("http://{address}")]))
    };
    let far = remote_module(&env, config).await.unwrap();
    let mut changes = far.changes().unwrap();
    assert!(!changes.current().is_known);
    let listener = TcpListener::bind(address).await.unwrap();
    let echo = Echo::named(&env, "made");
    let _process =
        Process::start_on(&env, listener, made(&env, false).0, echo, None, inner_networks());
    env.timeout(LONG, changes.next()).await.unwrap().unwrap();
    assert!(changes.current().is_known);
    assert_eq!(changes.current().routes.len(), 4);
}

#[tokio::test]
async fn a_stranger_cannot_say_who_asks_or_how_long() {
    let env = Env::system();
    let outside = vec!["192.0.2.0/24".parse().unwrap()];
    let echo = Echo::named(&env, "made");
    let process = Process::start_with(&env, made(&env, false).0, echo, None, outside).await;
    let far = remote(&env, process.url()).await;
    let request =
        get("/v1/told").header("mercat-client", "203.0.113.9/32").header("mercat-deadline-ms", "1");
    let (head, told) = ask(&far, empty(request)).await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(told["from"], "127.0.0.1/32");
}

/// Such as a version that tells its routes in a way that is not known here yet.
#[tokio::test]
async fn a_service_whose_routes_cannot_be_read_is_not_waited_for() {
    let env = Env::system();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().fallback(async || "{\"format\": 4711}");
    let limits = ServerLimits::default();
    let serving = platform::http::serve(env.clone(), listener, router, limits, Shutdown::new());
    env.spawn("another version", async move {
        serving.await.unwrap();
    });
    let long = RemoteConfig {
        wait: Duration::from_hours(1),
        ..config(peer(vec![format!("http://{address}")]))
    };
    let far = env.timeout(LONG, remote_module(&env, long)).await.expect("it waits").unwrap();
    assert!(!far.changes().unwrap().current().is_known);
}
