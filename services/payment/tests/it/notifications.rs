//! What the provider tells on its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use contracts::payment::v1::authorize_reply::Outcome;
use http::Request;
use payment::domain::PaymentId;
use payment::ports::Delivery;
use platform::testing::Reply;

use crate::shop::{Shop, hasty, on_each_engine};

const PATH: &str = "/v1/payments/notifications/test";

async fn deliver(shop: &Shop, path: &str, delivery: &Delivery) -> Reply {
    let mut request = Request::post(path).header("content-type", "application/json");
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    shop.anybody().request(request.body(Body::from(delivery.body.clone())).unwrap()).await
}

fn told(shop: &Shop, kind: &str, id: PaymentId) -> Delivery {
    shop.provider.inner.notification(kind, &id.to_string(), &id.to_string())
}

#[tokio::test]
async fn a_notification_settles_what_is_in_doubt_and_the_same_one_does_nothing_more() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        assert_eq!(shop.authorize(order, 500, "tok_timeout_after_charge").await, Outcome::Unknown);
        let delivery = told(shop, "charge.authorized", PaymentId::of_order(order));
        let reply = deliver(shop, PATH, &delivery).await.expect(202);
        assert_eq!(reply.body["acting"], true);
        let now = shop.test.env.now();
        shop.settle(order).await;
        assert_eq!(shop.test.env.now(), now, "it does not wait for its time");
        assert_eq!(shop.status(order).await, "authorized");
        for _ in 0..4 {
            let reply = deliver(shop, PATH, &delivery).await.expect(202);
            assert_eq!(reply.body["acting"], false);
        }
        assert_eq!(shop.events().await, ["PaymentAuthorized"]);
    })
    .await;
}

#[tokio::test]
async fn a_notification_that_comes_first_changes_nothing() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        let delivery = told(shop, "charge.authorized", PaymentId::of_order(order));
        let reply = deliver(shop, PATH, &delivery).await.expect(202);
        assert_eq!(reply.body["acting"], false);
        assert_eq!(shop.authorize(order, 500, "tok_approved").await, Outcome::Authorized);
        assert_eq!(shop.charge(order), Some((500, 0, 0, false)));
    })
    .await;
}

#[tokio::test]
async fn what_a_notification_says_is_looked_up_and_not_believed() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        assert_eq!(shop.authorize(order, 500, "tok_needs_time").await, Outcome::Unknown);
        let delivery = told(shop, "charge.authorized", PaymentId::of_order(order));
        deliver(shop, PATH, &delivery).await.expect(202);
        shop.reconcile().await;
        assert_eq!(shop.status(order).await, "pending");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_the_providers_or_not_recent_is_refused() {
    on_each_engine(hasty(), async |shop| {
        let order = shop.new_order();
        shop.authorize(order, 500, "tok_timeout_after_charge").await;
        let good = told(shop, "charge.authorized", PaymentId::of_order(order));
        let mut forged = good.clone();
        forged.body.push(b' ');
        let mut unsigned = good.clone();
        unsigned.headers.clear();
        for bad in [&forged, &unsigned] {
            let reply = deliver(shop, PATH, bad).await.expect(401);
            assert_eq!(reply.slug(), "notification-not-genuine");
        }
        shop.test.advance(Duration::from_secs(301));
        deliver(shop, PATH, &good).await.expect(401);
        assert_eq!(shop.status(order).await, "unknown");
    })
    .await;
}

#[tokio::test]
async fn unknown_events_are_acknowledged_and_unknown_providers_are_not_found() {
    on_each_engine(hasty(), async |shop| {
        let (_, id) = shop.authorized(500).await;
        let delivery = told(shop, "payout.arrived", id);
        let reply = deliver(shop, PATH, &delivery).await.expect(202);
        assert_eq!(reply.body["acting"], false);
        deliver(shop, "/v1/payments/notifications/other", &delivery).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_genuine_body_that_makes_no_sense_and_one_that_is_too_long_are_refused() {
    let mut config = hasty();
    config.test_provider.notification_secret =
        platform::config::Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let shop = Shop::in_memory(config);
    let secret = payment::adapters::standard_webhooks::Secret::parse(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    .unwrap();
    let now = shop.test.env.now();
    for body in ["", "{", "[]", "{\"type\":1}", "\u{0}"] {
        let delivery = secret.sign("evt_1", now, body.as_bytes().to_vec());
        let reply = deliver(&shop, PATH, &delivery).await.expect(400);
        assert_eq!(reply.slug(), "notification-malformed", "{body}");
    }
    let delivery = secret.sign("evt_1", now, vec![b' '; 65_537]);
    deliver(&shop, PATH, &delivery).await.expect(413);
}

#[tokio::test]
async fn old_notifications_are_forgotten() {
    on_each_engine(hasty(), async |shop| {
        let (_, id) = shop.authorized(500).await;
        for kind in ["charge.captured", "charge.voided", "payout.arrived"] {
            deliver(shop, PATH, &told(shop, kind, id)).await.expect(202);
        }
        let store = shop.executor.store();
        let all = || platform::store::Query::new(10);
        let count =
            async || store.list::<payment::domain::Notification>(all()).await.unwrap().len();
        assert_eq!(count().await, 3);
        let forget = shop.service.tasks.iter().find(|t| t.name.contains("forget")).unwrap();
        forget.turn(&shop.test.env, "payment").await.unwrap();
        assert_eq!(count().await, 3);
        shop.test.advance(Duration::from_hours(24 * 31));
        forget.turn(&shop.test.env, "payment").await.unwrap();
        assert_eq!(count().await, 0);
    })
    .await;
}

#[derive(Default)]
struct Inbox(Mutex<Vec<Delivery>>);

#[async_trait::async_trait]
impl payment::adapters::test_provider::Callback for Inbox {
    async fn deliver(&self, delivery: Delivery) {
        self.0.lock().unwrap().push(delivery);
    }
}

#[tokio::test]
async fn the_test_provider_tells_what_it_did_when_somebody_listens() {
    let shop = Shop::in_memory(hasty());
    let inbox = Arc::new(Inbox::default());
    shop.provider.inner.notify(inbox.clone());
    let (_, id) = shop.authorized(500).await;
    let staff = shop.staff(&["*"]).with("idempotency-key", "k");
    let path = format!("/v1/admin/payments/{id}/captures");
    staff.post(&path, serde_json::json!({})).await.expect(201);
    let declined = shop.new_order();
    assert_eq!(shop.authorize(declined, 500, "tok_declined").await, Outcome::Declined);
    while inbox.0.lock().unwrap().len() < 3 {
        tokio::task::yield_now().await;
    }
    let deliveries = inbox.0.lock().unwrap().clone();
    let kinds: Vec<serde_json::Value> = deliveries
        .iter()
        .map(|delivery| {
            let body: serde_json::Value = serde_json::from_slice(&delivery.body).unwrap();
            body["type"].clone()
        })
        .collect();
    assert_eq!(kinds, ["charge.authorized", "charge.captured", "charge.declined"]);
    for delivery in &deliveries {
        deliver(&shop, PATH, delivery).await.expect(202);
    }
}
