//! Traces as a collector gets them: one checkout is one tree. One test, for a process has one
//! exporter.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may stop at the first surprise, as tests do"
)]

mod collector;
mod shop;

use collector::{Collector, Span};
use http::Method;
use platform::shutdown::{Phase, Shutdown};
use platform::telemetry::{self, TelemetryConfig};
use platform::testing::module_client;

const CALLERS_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLERS_SPAN: &str = "00f067aa0ba902b7";

#[track_caller]
fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found.next().unwrap_or_else(|| panic!("no span {name}: {spans:?}"));
    assert!(found.next().is_none(), "{name} is there twice: {spans:?}");
    span
}

/// Who lies below whom, in one trace, down to the consumers of consumers' events.
fn is_one_tree(spans: &[Span], root: &str) {
    let trace = &named(spans, root).trace;
    let tree = [
        (root, "inventory.Reserve", 3),
        (root, "payments.orders mercat.orders.Placed.v1", 5),
        ("payments.orders mercat.orders.Placed.v1", "orders.payments mercat.payments.Paid.v1", 5),
    ];
    for (parent, name, kind) in tree {
        let span = named(spans, name);
        assert_eq!(span.parent, named(spans, parent).id, "{name} below {parent}");
        assert_eq!((&span.trace, span.kind), (trace, kind), "{name}");
    }
    assert_eq!(spans.len(), 4, "and nothing else, of libraries or of the export: {spans:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkout_is_one_trace_from_the_request_through_calls_and_events() {
    let collector = Collector::start().await;
    let config = TelemetryConfig {
        otlp_endpoint: Some(collector.endpoint.clone()),
        ..TelemetryConfig::default()
    };
    let telemetry = telemetry::init(&config).unwrap();
    let shop = shop::open();
    let shutdown = Shutdown::new();
    shop.bus.start(&shutdown);

    let client = module_client(&shop.module);
    client.send(Method::POST, "/v1/orders", None).await.expect(201);
    shop.settled().await;
    let parent = format!("00-{CALLERS_TRACE}-{CALLERS_SPAN}-01");
    let client = client.with("traceparent", &parent);
    client.send(Method::POST, "/v1/orders", None).await.expect(201);
    shop.settled().await;

    shutdown.advance(Phase::Stopping);
    // Sends what waits, and blocks until it is sent.
    tokio::task::spawn_blocking(move || drop(telemetry)).await.unwrap();

    let spans = collector.spans();
    let (joined, own): (Vec<Span>, Vec<Span>) =
        spans.into_iter().partition(|span| span.trace == CALLERS_TRACE);
    let root = "POST /v1/orders";
    is_one_tree(&own, root);
    assert_eq!((named(&own, root).parent.as_str(), named(&own, root).kind), ("", 2));
    assert_eq!(named(&own, root).process, "mercat");
    is_one_tree(&joined, root);
    assert_eq!(named(&joined, root).parent, CALLERS_SPAN);
}
