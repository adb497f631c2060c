//! What staff do: capture, refund, void, look.

use http::Method;
use serde_json::json;

use crate::shop::{Fault, Shop, hasty, on_each_engine};
use payment::domain::{OrderId, PaymentId};
use platform::testing::{Client, Reply};

fn euros(amount: i64) -> serde_json::Value {
    json!({"amount": {"amount": amount, "currency": "EUR"}})
}

fn refund(amount: i64) -> serde_json::Value {
    json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "returned"})
}

struct Desk {
    client: Client,
    path: String,
}

impl Desk {
    fn new(shop: &Shop, id: PaymentId) -> Self {
        Self { client: shop.staff(&["payments:*"]), path: format!("/v1/admin/payments/{id}") }
    }
    async fn post(&self, key: &str, what: &str, body: serde_json::Value) -> Reply {
        let client = self.client.with("idempotency-key", &format!("{key}-{}", self.path));
        client.post(&format!("{}/{what}", self.path), body).await
    }
    async fn get(&self) -> serde_json::Value {
        self.client.get(&self.path).await.expect(200).body
    }
}

async fn captured(shop: &Shop, amount: i64) -> (OrderId, Desk) {
    let (order, id) = shop.authorized(amount).await;
    let desk = Desk::new(shop, id);
    desk.post("first", "captures", json!({})).await.expect(201);
    (order, desk)
}

#[tokio::test]
async fn the_whole_sum_is_captured_and_stands_in_the_ledger() {
    on_each_engine(hasty(), async |shop| {
        let (order, id) = shop.authorized(1999).await;
        let desk = Desk::new(shop, id);
        let reply = desk.post("k1", "captures", json!({})).await.expect(201);
        assert_eq!(reply.body["status"], "done");
        assert_eq!(reply.body["amount"], json!({"amount": 1999, "currency": "EUR"}));
        assert!(reply.body["id"].as_str().unwrap().starts_with("cap_"));
        assert_eq!(shop.charge(order), Some((1999, 1999, 0, false)));
        let view = desk.get().await;
        assert_eq!(view["status"], "captured");
        let what: Vec<_> =
            view["timeline"].as_array().unwrap().iter().map(|e| e["what"].clone()).collect();
        assert_eq!(what, ["requested", "authorized", "capture_requested", "captured"]);
        let ledger = desk.client.get(&format!("{}/ledger", desk.path)).await.expect(200).body;
        assert_eq!(ledger["entries"].as_array().unwrap().len(), 1);
        assert_eq!(
            ledger["balances"],
            json!([
                {"account": "provider_clearing", "amount": {"amount": 1999, "currency": "EUR"}},
                {"account": "order_receipts", "amount": {"amount": -1999, "currency": "EUR"}},
            ])
        );
        assert_eq!(shop.events().await, ["PaymentAuthorized", "PaymentCaptured"]);
    })
    .await;
}

#[tokio::test]
async fn parts_are_captured_and_refunded_within_their_bounds() {
    on_each_engine(hasty(), async |shop| {
        let (order, id) = shop.authorized(1000).await;
        let desk = Desk::new(shop, id);
        desk.post("c1", "captures", euros(400)).await.expect(201);
        assert_eq!(desk.get().await["status"], "partially_captured");
        let refused = desk.post("c2", "captures", euros(601)).await.expect(422);
        assert_eq!(refused.slug(), "capture-too-large");
        assert_eq!(refused.fields(), ["amount.amount"]);
        desk.post("c3", "captures", euros(500)).await.expect(201);
        desk.post("r1", "refunds", refund(300)).await.expect(201);
        let refused = desk.post("r2", "refunds", refund(601)).await.expect(422);
        assert_eq!(refused.slug(), "refund-too-large");
        assert_eq!(desk.get().await["status"], "partially_refunded");
        let rest = desk.post("r3", "refunds", json!({"reason": "returned"})).await.expect(201);
        assert_eq!(rest.body["amount"]["amount"], 600);
        assert_eq!(desk.post("r4", "refunds", refund(1)).await.slug(), "nothing-to-refund");
        assert_eq!(shop.charge(order), Some((1000, 900, 900, false)));
        let ledger = desk.client.get(&format!("{}/ledger", desk.path)).await.expect(200).body;
        assert_eq!(ledger["balances"][0]["amount"]["amount"], 0);
        assert_eq!(ledger["entries"].as_array().unwrap().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_and_has_one_effect() {
    on_each_engine(hasty(), async |shop| {
        let (order, id) = shop.authorized(1000).await;
        let desk = Desk::new(shop, id);
        let first = desk.post("k1", "captures", euros(400)).await.expect(201);
        let again = desk.post("k1", "captures", euros(400)).await.expect(201);
        assert_eq!(again.body, first.body);
        assert_eq!(again.headers["location"], first.headers["location"]);
        desk.post("k1", "captures", euros(500)).await.expect(422);
        let first = desk.post("k2", "refunds", refund(100)).await.expect(201);
        let again = desk.post("k2", "refunds", refund(100)).await.expect(201);
        assert_eq!(again.body, first.body);
        assert_eq!(shop.charge(order), Some((1000, 400, 100, false)));
    })
    .await;
}

#[tokio::test]
async fn fifty_refunds_with_one_key_at_once_make_one_refund() {
    on_each_engine(hasty(), async |shop| {
        let (order, desk) = captured(shop, 1000).await;
        let requests = (0..50).map(|_| desk.post("once", "refunds", refund(10)));
        let replies = futures_util::future::join_all(requests).await;
        let statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
        assert!(statuses.contains(&201), "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
        let made: std::collections::BTreeSet<_> = replies
            .iter()
            .filter(|reply| reply.status.as_u16() == 201)
            .map(|reply| reply.body["id"].to_string())
            .collect();
        assert_eq!(made.len(), 1);
        assert_eq!(shop.charge(order), Some((1000, 1000, 10, false)));
        assert_eq!(desk.get().await["refunds"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn fifty_refunds_with_fifty_keys_at_once_never_exceed_the_capture() {
    on_each_engine(hasty(), async |shop| {
        let (order, desk) = captured(shop, 100).await;
        let keys: Vec<String> = (0..50).map(|n| format!("key-{n}")).collect();
        let requests = keys.iter().map(|key| desk.post(key, "refunds", refund(30)));
        let replies = futures_util::future::join_all(requests).await;
        let done = replies.iter().filter(|reply| reply.status.as_u16() == 201).count();
        assert_eq!(done, 3);
        assert_eq!(shop.charge(order), Some((100, 100, 90, false)));
    })
    .await;
}

#[tokio::test]
async fn a_capture_in_doubt_is_pending_and_then_done_once() {
    on_each_engine(hasty(), async |shop| {
        for fault in [Fault::LoseAnswer, Fault::LoseRequest, Fault::Hang] {
            let (order, id) = shop.authorized(1000).await;
            let desk = Desk::new(shop, id);
            shop.provider.break_next("capture", fault);
            let reply = desk.post("k1", "captures", json!({})).await.expect(202);
            assert_eq!(reply.body["status"], "pending");
            let again = desk.post("k1", "captures", json!({})).await.expect(202);
            assert_eq!(again.body, reply.body);
            let more = desk.post("k2", "captures", euros(1)).await.expect(409);
            assert_eq!(more.slug(), "nothing-to-capture");
            shop.settle(order).await;
            assert_eq!(desk.get().await["captures"][0]["status"], "done", "{fault:?}");
            assert_eq!(shop.charge(order), Some((1000, 1000, 0, false)), "{fault:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_refund_in_doubt_is_pending_and_then_done_once() {
    on_each_engine(hasty(), async |shop| {
        for fault in [Fault::LoseAnswer, Fault::LoseRequest] {
            let (order, desk) = captured(shop, 1000).await;
            shop.provider.break_next("refund", fault);
            let reply = desk.post("k1", "refunds", refund(600)).await.expect(202);
            assert_eq!(reply.body["status"], "pending");
            let more = desk.post("k2", "refunds", refund(401)).await.expect(422);
            assert_eq!(more.slug(), "refund-too-large");
            shop.settle(order).await;
            assert_eq!(desk.get().await["refunds"][0]["status"], "done");
            assert_eq!(shop.charge(order), Some((1000, 1000, 600, false)), "{fault:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_refused_refund_fails_and_can_be_asked_for_anew() {
    on_each_engine(hasty(), async |shop| {
        let (order, desk) = captured(shop, 1000).await;
        shop.provider.break_next("refund", Fault::Refuse);
        let reply = desk.post("k1", "refunds", refund(600)).await.expect(201);
        assert_eq!(reply.body["status"], "failed");
        assert_eq!(reply.body["failure_code"], "not_today");
        desk.post("k2", "refunds", refund(1000)).await.expect(201);
        assert_eq!(shop.charge(order), Some((1000, 1000, 1000, false)));
        assert_eq!(desk.get().await["status"], "refunded");
    })
    .await;
}

#[tokio::test]
async fn a_void_gives_back_what_is_held_and_ends_captures() {
    on_each_engine(hasty(), async |shop| {
        let (order, id) = shop.authorized(1000).await;
        let desk = Desk::new(shop, id);
        let void = async |key: Option<&str>| {
            let client =
                key.map_or(desk.client.clone(), |k| desk.client.with("idempotency-key", k));
            client.send(Method::POST, &format!("{}/void", desk.path), None).await
        };
        let first = void(Some("v1")).await.expect(200);
        assert_eq!(first.body["status"], "voided");
        assert_eq!(void(Some("v1")).await.expect(200).body, first.body);
        assert_eq!(void(Some("v2")).await.expect(200).body["status"], "voided");
        assert_eq!(void(Some("v2")).await.expect(200).body["status"], "voided");
        assert_eq!(void(None).await.expect(200).body["status"], "voided");
        let refused = desk.post("c1", "captures", json!({})).await.expect(409);
        assert_eq!(refused.slug(), "payment-not-authorized");
        assert_eq!(shop.charge(order), Some((1000, 0, 0, true)));

        let (_, desk) = captured(shop, 1000).await;
        let path = format!("{}/void", desk.path);
        let refused = desk.client.send(Method::POST, &path, None).await.expect(409);
        assert_eq!(refused.slug(), "nothing-to-void");
    })
    .await;
}

#[tokio::test]
async fn bad_input_names_the_field_and_changes_nothing() {
    on_each_engine(hasty(), async |shop| {
        let (order, id) = shop.authorized(1000).await;
        let desk = Desk::new(shop, id);
        for (body, field) in [
            (euros(0), "amount.amount"),
            (euros(-1), "amount.amount"),
            (euros(i64::MAX), "amount.amount"),
            (json!({"amount": {"amount": "1", "currency": "EUR"}}), "amount.amount"),
            (json!({"amount": {"amount": 1.5, "currency": "EUR"}}), "amount.amount"),
            (json!({"amount": {"amount": 1, "currency": "EURO"}}), "amount.currency"),
            (json!({"amount": {"amount": 1}}), "amount.currency"),
            (json!({"amount": 1}), "amount"),
            (json!({"sum": 1}), "sum"),
        ] {
            let reply = desk.post("bad", "captures", body.clone()).await.expect(400);
            assert_eq!(reply.fields(), [field], "{body}");
        }
        let dollars = json!({"amount": {"amount": 1, "currency": "USD"}});
        let reply = desk.post("bad", "captures", dollars).await.expect(422);
        assert_eq!(reply.fields(), ["amount.currency"]);
        for body in [json!({}), json!({"reason": ""}), json!({"reason": "x".repeat(201)})] {
            let reply = desk.post("bad", "refunds", body.clone()).await.expect(400);
            assert_eq!(reply.fields(), ["reason"], "{body}");
        }
        let reply = desk.client.post(&format!("{}/captures", desk.path), json!({})).await;
        assert_eq!(reply.expect(400).fields(), ["idempotency-key"]);
        desk.client.get("/v1/admin/payments/pay_1").await.expect(400);
        desk.client.get("/v1/admin/payments?status=rich").await.expect(400);
        desk.client.get("/v1/admin/payments?limit=0").await.expect(400);
        desk.client.get("/v1/admin/payments?cursor=x").await.expect(400);
        assert_eq!(shop.charge(order), Some((1000, 0, 0, false)));
        assert_eq!(desk.get().await["captures"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn only_those_who_may_do_it() {
    on_each_engine(hasty(), async |shop| {
        let (_, id) = shop.authorized(1000).await;
        let path = format!("/v1/admin/payments/{id}");
        let keyed = |client: Client| client.with("idempotency-key", "k");
        shop.anybody().get(&path).await.expect(401);
        shop.staff(&["orders:read"]).get(&path).await.expect(403);
        let reader = shop.staff(&["payments:read"]);
        reader.get(&path).await.expect(200);
        keyed(reader).post(&format!("{path}/captures"), json!({})).await.expect(403);
        let capturer = shop.staff(&["payments:capture"]);
        keyed(capturer.clone()).post(&format!("{path}/captures"), json!({})).await.expect(201);
        keyed(capturer).post(&format!("{path}/refunds"), refund(1)).await.expect(403);
        let nobody = PaymentId::of_order(shop.new_order());
        let staff = shop.staff(&["*"]);
        for path in ["", "/ledger"] {
            staff.get(&format!("/v1/admin/payments/{nobody}{path}")).await.expect(404);
        }
        let path = format!("/v1/admin/payments/{nobody}/captures");
        staff.with("idempotency-key", "n").post(&path, json!({})).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn payments_are_listed_newest_first_and_filtered() {
    on_each_engine(hasty(), async |shop| {
        let mut orders = Vec::new();
        for token in ["tok_approved", "tok_declined", "tok_approved", "tok_approved"] {
            let order = shop.new_order();
            shop.authorize(order, 1000, token).await;
            shop.test.advance(std::time::Duration::from_secs(1));
            orders.insert(0, order.to_string());
        }
        let staff = shop.staff(&["payments:read"]);
        let mut seen = Vec::new();
        let mut path = "/v1/admin/payments?limit=3".to_owned();
        loop {
            let page = staff.get(&path).await.expect(200).body;
            for item in page["items"].as_array().unwrap() {
                seen.push(item["order_id"].as_str().unwrap().to_owned());
            }
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            path = format!("/v1/admin/payments?limit=3&cursor={cursor}");
        }
        assert_eq!(seen, orders);
        let declined = staff.get("/v1/admin/payments?status=declined").await.expect(200).body;
        assert_eq!(declined["items"].as_array().unwrap().len(), 1);
        assert_eq!(declined["items"][0]["decline_code"], "card_declined");
        let path = format!("/v1/admin/payments?order_id={}", orders[0]);
        let one = staff.get(&path).await.expect(200).body;
        assert_eq!(one["items"][0]["order_id"], orders[0].as_str());
        assert_eq!(one["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn everybody_may_see_the_ways_to_pay() {
    let shop = Shop::in_memory(hasty());
    let body = shop.anybody().get("/v1/payments/methods").await.expect(200).body;
    assert_eq!(body["provider"], "test");
    assert_eq!(body["items"][0]["token"], "tok_approved");
    assert!(body["items"].as_array().unwrap().iter().all(|method| method["test"] == true));
}
