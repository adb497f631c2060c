//! What operators see, and what they must never see.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use http::Request;
use platform::bus::operate::operator_routes;
use platform::shutdown::{Phase, Shutdown};
use platform::telemetry::{self, Metrics, TelemetryConfig, TelemetryError, internal_router};
use platform::testing::module_client;
use serde_json::json;
use tower::ServiceExt as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::app::served;

async fn get(router: &Router, path: &str) -> (u16, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn readiness_follows_the_phases_and_life_does_not() {
    let shutdown = Shutdown::new();
    let router = internal_router(Metrics::detached(), shutdown.clone());
    assert_eq!(get(&router, "/readyz").await.0, 503);
    shutdown.ready();
    assert_eq!(get(&router, "/readyz").await.0, 200);
    shutdown.advance(Phase::NotReady);
    assert_eq!(get(&router, "/readyz").await.0, 503);
    assert_eq!(get(&router, "/livez").await.0, 200);
}

#[tokio::test]
async fn requests_are_counted_by_route_and_kind_of_status() {
    let quiet = TelemetryConfig { log_filter: "off".into(), ..TelemetryConfig::default() };
    let telemetry = telemetry::init(&quiet).unwrap();
    assert_eq!(telemetry::init(&quiet).unwrap_err(), TelemetryError::Twice);
    let client = module_client(&served().module);
    client.get("/v1/things").await.expect(200);
    client.get("/v1/things?limit=0").await.expect(400);
    let text = telemetry.metrics.render();
    for line in [
        r#"http_requests_total{service="test",route="GET /v1/things",status="2xx"}"#,
        r#"http_requests_total{service="test",route="GET /v1/things",status="4xx"}"#,
        r#"http_request_seconds_bucket{service="test",route="GET /v1/things",le="0.0005"}"#,
        r#"http_problems_total{slug="invalid-request"}"#,
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_told() {
    let config = TelemetryConfig { log_filter: "a=b=c".into(), ..TelemetryConfig::default() };
    let error = telemetry::init(&config).unwrap_err().to_string();
    assert!(error.starts_with("telemetry.log_filter: "), "{error}");
}

/// A page that an operator looks at may reach the port under a name of its own (DNS rebinding).
#[tokio::test]
async fn a_web_page_frees_no_events_and_looks_at_none() {
    let router = operator_routes(Vec::new(), Vec::new());
    let ask = async |request: http::request::Builder| {
        let request = request.body(Body::from("{\"consumer\":\"a\",\"event\":\"x\"}")).unwrap();
        router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    for path in ["/events/parked", "/events/tail", "/events/replay", "/events/skip"] {
        let post = || Request::post(path).header("content-type", "application/json");
        assert_eq!(ask(post().header("origin", "http://a.example")).await, 403, "{path}");
        assert_eq!(ask(Request::get(path).header("sec-fetch-mode", "cors")).await, 403, "{path}");
    }
    assert_eq!(ask(Request::get("/events/parked")).await, 200);
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_log_line_holds_a_token_a_body_or_a_query() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    // While a process knows one subscriber only, tracing asks the thread that first reaches a call
    // site, which may be another test's, and remembers "nobody listens". With two it asks both.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let guard = tracing::subscriber::set_default(subscriber);
    tracing::callsite::rebuild_interest_cache();
    let client = module_client(&served().module).with("x-request-id", "seen-id");
    let canary = "canary-7f3a";
    client.with("authorization", &format!("Bearer {canary}")).get("/v1/me").await.expect(401);
    client
        .with("idempotency-key", canary)
        .post("/v1/things", json!({"name": canary}))
        .await
        .expect(201);
    client.post("/v1/things", json!({"name": 1, "canary": canary})).await.expect(400);
    client.get(&format!("/v1/things?cursor={canary}")).await.expect(200);
    client.get("/v1/panic").await.expect(500);
    drop(guard);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("seen-id"), "{text}");
    assert!(!text.contains(canary), "{text}");
}
