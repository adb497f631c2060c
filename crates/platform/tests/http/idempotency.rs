//! The same key twice: one effect, one answer.

use platform::Principal;
use platform::testing::module_client;
use serde_json::json;

use crate::app::{served, uuid};

#[tokio::test]
async fn the_same_request_twice_has_one_effect_and_one_answer() {
    let served = served();
    let client = module_client(&served.module).with("idempotency-key", "k-1");
    let first = client.post("/v1/things", json!({"name": "mug"})).await.expect(201);
    let again = client.post("/v1/things", json!({"name": "mug"})).await.expect(201);
    assert_eq!(first.body, again.body);
    assert_eq!(first.headers["location"], again.headers["location"]);
    assert_eq!(again.headers["content-type"], "application/json");
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(served.things().await, 1);
}

#[tokio::test]
async fn without_a_key_each_request_has_its_effect() {
    let served = served();
    let client = module_client(&served.module);
    client.post("/v1/things", json!({"name": "mug"})).await.expect(201);
    client.post("/v1/things", json!({"name": "mug"})).await.expect(201);
    assert_eq!(served.things().await, 2);
}

#[tokio::test]
async fn a_key_belongs_to_one_body_one_caller_and_one_route() {
    let served = served();
    let client = module_client(&served.module).with("idempotency-key", "k-1");
    client.post("/v1/things", json!({"name": "mug"})).await.expect(201);
    let other_body = client.post("/v1/things", json!({"name": "cup"})).await.expect(422);
    assert_eq!(
        (other_body.slug(), other_body.fields()),
        ("idempotency-key-reused", vec!["idempotency-key"])
    );
    let customer = Principal::Customer { account: uuid(3), session: uuid(4) };
    let reply = client.as_(customer).post("/v1/things", json!({"name": "mug"})).await.expect(201);
    assert!(!reply.headers.contains_key("idempotency-replayed"));
    let reply = client.post("/v1/payments", json!({"name": "mug"})).await.expect(201);
    assert!(!reply.headers.contains_key("idempotency-replayed"));
    assert_eq!(served.things().await, 3);
}

#[tokio::test]
async fn a_header_that_the_route_declares_is_part_of_the_request() {
    let client = module_client(&served().module).with("idempotency-key", "k-1");
    client
        .with("x-cart-secret", "a")
        .post("/v1/payments", json!({"name": "mug"}))
        .await
        .expect(201);
    client
        .with("x-cart-secret", "a")
        .post("/v1/payments", json!({"name": "mug"}))
        .await
        .expect(201);
    client
        .with("x-cart-secret", "b")
        .post("/v1/payments", json!({"name": "mug"}))
        .await
        .expect(422);
    client.post("/v1/payments", json!({"name": "mug"})).await.expect(422);
}

#[tokio::test]
async fn a_route_may_require_a_key_and_every_key_has_a_shape() {
    let client = module_client(&served().module);
    let reply = client.post("/v1/payments", json!({"name": "mug"})).await.expect(400);
    assert_eq!(
        (reply.slug(), reply.fields()),
        ("idempotency-key-missing", vec!["idempotency-key"])
    );
    for key in ["", "a b", &"x".repeat(256)] {
        let client = client.with("idempotency-key", key);
        let reply = client.post("/v1/things", json!({"name": "mug"})).await.expect(400);
        assert_eq!(reply.fields(), ["idempotency-key"]);
    }
    client
        .with("idempotency-key", &"x".repeat(255))
        .post("/v1/things", json!({"name": "mug"}))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let client = module_client(&served().module).with("idempotency-key", "k-1");
    client.post("/v1/things", json!({"name": ""})).await.expect(400);
    client.post("/v1/things", json!({"name": "mug"})).await.expect(201);
}

#[tokio::test]
async fn two_at_once_have_one_effect() {
    let served = served();
    let client = module_client(&served.module).with("idempotency-key", "k-1");
    let send = || client.post("/v1/things", json!({"name": "mug"}));
    let replies = futures_util::future::join_all((0..20).map(|_| send())).await;
    assert_eq!(served.things().await, 1);
    let first = &replies.iter().find(|r| r.status == 201).unwrap().body;
    for reply in &replies {
        assert!(matches!(reply.status.as_u16(), 201 | 409), "{} {}", reply.status, reply.body);
        assert!(reply.status != 201 || reply.body == *first);
    }
}
