//! A checkout of a shop of processes, as a collector of traces gets it: one tree, from the gateway
//! through the calls and the broker to the last consumer.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may stop at the first surprise, as tests do"
)]

#[path = "../../../crates/platform/tests/otlp/collector.rs"]
mod collector;

use collector::{Collector, Span};
use testkit::checkout::Cart;
use testkit::servers::are_there;
use testkit::shelf::stock_article;
use testkit::{Shop, Start, Topology, until};

const CALLERS_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLERS_SPAN: &str = "00f067aa0ba902b7";

const COMPLETE: &str = "POST /v1/carts/{cart_id}/complete";
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const CONSUMER: i32 = 5;

/// Process, name and kind of a span.
type Place = (&'static str, &'static str, i32);

const GATEWAY: Place = ("gateway", COMPLETE, SERVER);
const ORDERING: Place = ("ordering", COMPLETE, SERVER);
const QUOTES: Place = ("ordering", "catalog.QuoteVariants", CLIENT);
const RESERVES: Place = ("ordering", "inventory.Reserve", CLIENT);
const AUTHORIZES: Place = ("ordering", "payment.Authorize", CLIENT);
const PAYS: Place = ("payment", "payment.Authorize", SERVER);

/// Who lies right below whom.
const TREE: &[(Place, Place)] = &[
    (GATEWAY, ORDERING),
    (ORDERING, QUOTES),
    (QUOTES, ("catalog", "catalog.QuoteVariants", SERVER)),
    (ORDERING, RESERVES),
    (RESERVES, ("inventory", "inventory.Reserve", SERVER)),
    (ORDERING, AUTHORIZES),
    (AUTHORIZES, PAYS),
    (PAYS, ("ordering", "ordering.payments mercat.payment.PaymentAuthorized.v1", CONSUMER)),
    (ORDERING, ("inventory", "inventory.orders mercat.ordering.OrderConfirmed.v1", CONSUMER)),
    (ORDERING, ("payment", "payment.orders mercat.ordering.OrderConfirmed.v1", CONSUMER)),
];

fn find(spans: &[Span], (process, name, kind): Place) -> Option<&Span> {
    spans.iter().find(|span| span.process == process && span.name == name && span.kind == kind)
}

/// Every span but the first lies below another one that is there.
fn is_whole(spans: &[Span]) -> bool {
    let is_there = |id: &str| id == CALLERS_SPAN || spans.iter().any(|span| span.id == id);
    spans.iter().all(|span| is_there(&span.parent))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkout_is_one_trace_through_gateway_services_and_broker() {
    if !are_there(Topology::Kafka) {
        return;
    }
    let collector = Collector::start().await;
    let start = Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Kafka)
        .set(&format!("telemetry.otlp_endpoint={}", collector.endpoint));
    let shop = Shop::start(start).await;
    let article = stock_article(&shop.admin().await, 1_999, 5).await;
    let cart = Cart::open(&shop.client(), &[(&article.variant, 2)]).await;
    let parent = format!("00-{CALLERS_TRACE}-{CALLERS_SPAN}-01");
    let completion = cart.completion("tok_approved", "one-trace");
    let reply = completion.header("traceparent", &parent).send().await;
    assert_eq!(cart.order(reply).await.status(), "confirmed");

    let spans = until("the whole tree is at the collector", async || {
        let spans = collector.spans().into_iter().filter(|span| span.trace == CALLERS_TRACE);
        let spans: Vec<Span> = spans.collect();
        let there = TREE.iter().all(|(_, below)| find(&spans, *below).is_some());
        (there && find(&spans, GATEWAY).is_some() && is_whole(&spans)).then_some(spans)
    })
    .await;
    assert_eq!(find(&spans, GATEWAY).unwrap().parent, CALLERS_SPAN);
    for (above, below) in TREE {
        let (parent, span) = (find(&spans, *above).unwrap(), find(&spans, *below).unwrap());
        assert_eq!(span.parent, parent.id, "{below:?} below {above:?}: {spans:#?}");
    }
}
