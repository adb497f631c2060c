//! Orders after their checkout: who reads, lists, cancels and notes them; what payment tells.

use contracts::ordering::v1::GetOrderRequest;
use contracts::payment::v1::{PaymentAuthorized, PaymentCaptured, PaymentRefunded, PaymentVoided};
use kernel::id::Uuid;
use serde_json::{Value, json};

use crate::shop::{Shop, cart, on_both, uuid_of};

fn path(order: &Value) -> String {
    format!("/v1/orders/{}", order["id"].as_str().unwrap())
}

fn admin(order: &Value) -> String {
    format!("/v1/admin/orders/{}", order["id"].as_str().unwrap())
}

#[tokio::test]
async fn somebody_elses_order_does_not_exist() {
    on_both(async |shop: Shop| {
        let (opened, guests) = shop.order(&shop.guest()).await;
        let (_, adas) = shop.order(&shop.customer(1)).await;
        let secret = opened.body["secret"].as_str().unwrap();
        for (order, stranger) in [
            (&guests, shop.guest()),
            (&guests, shop.customer(1)),
            (&guests, shop.staff(&["*"])),
            (&adas, shop.guest()),
            (&adas, shop.customer(2)),
            (&adas, shop.guest().with("cart-secret", secret)),
        ] {
            stranger.get(&path(order)).await.expect(404);
            let cancel = format!("{}/cancel", path(order));
            stranger.send(http::Method::POST, &cancel, None).await.expect(404);
        }
        shop.guest().with("cart-secret", secret).get(&path(&guests)).await.expect(200);
        shop.guest().get("/v1/orders").await.expect(401);
        let none = shop.customer(2).get("/v1/orders").await.expect(200).body;
        assert_eq!(none["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_buyer_cancels_until_the_money_is_taken() {
    on_both(async |shop: Shop| {
        let ada = shop.customer(1);
        let (_, order) = shop.order(&ada).await;
        let cancel = format!("{}/cancel", path(&order));
        let keyed = ada.with("idempotency-key", "c1");
        let cancelled = keyed.send(http::Method::POST, &cancel, None).await.expect(200);
        assert_eq!(cancelled.body["status"], "cancelled");
        let again = keyed.send(http::Method::POST, &cancel, None).await.expect(200);
        assert_eq!(again.body, cancelled.body);
        let twice = ada.send(http::Method::POST, &cancel, None).await.expect(409);
        assert_eq!(twice.slug(), "wrong-order-status");
        assert_eq!(shop.events().await, ["OrderPlaced", "OrderConfirmed", "OrderCancelled"]);

        let (_, order) = shop.order(&shop.customer(2)).await;
        capture(&shop, &order, 1490).await;
        let cancel = format!("{}/cancel", path(&order));
        let refused = shop.customer(2).send(http::Method::POST, &cancel, None).await;
        assert_eq!(refused.expect(409).slug(), "already-captured");
    })
    .await;
}

async fn capture(shop: &Shop, order: &Value, amount: i64) {
    let id = uuid_of(&order["id"]);
    let captured = PaymentCaptured {
        payment_id: id.as_bytes().to_vec(),
        order_id: id.as_bytes().to_vec(),
        amount_minor: amount,
        captured_minor: amount,
        currency: "EUR".into(),
    };
    shop.tell("payment", id, &captured).await;
}

#[tokio::test]
async fn a_capture_that_is_told_before_the_order_is_confirmed_is_not_lost() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        let completing = opened.complete("k", "tok_wait");
        let capturing = async {
            let id = loop {
                let cart = opened.read().await.body;
                if cart["status"] == "ordered" {
                    break cart["order_id"].clone();
                }
                tokio::task::yield_now().await;
            };
            let order = json!({"id": id});
            capture(&shop, &order, 1490).await;
            shop.world.gate.add_permits(10);
        };
        let (order, ()) = tokio::join!(completing, capturing);
        let order = order.expect(201).body;
        assert_eq!(
            (&order["status"], &order["payment_status"]),
            (&json!("confirmed"), &json!("captured"))
        );
        let cancel = format!("{}/cancel", path(&order));
        let refused = opened.client.send(http::Method::POST, &cancel, None).await.expect(409);
        assert_eq!(refused.slug(), "already-captured");
    })
    .await;
}

#[tokio::test]
async fn the_payment_status_follows_payment_however_often_it_tells() {
    on_both(async |shop: Shop| {
        let ada = shop.customer(1);
        let (_, order) = shop.order(&ada).await;
        let id = uuid_of(&order["id"]);
        let ids = (id.as_bytes().to_vec(), id.as_bytes().to_vec());
        let status = async || {
            let order = ada.get(&path(&order)).await.expect(200).body;
            let count = order["timeline"].as_array().unwrap().len();
            (order["payment_status"].as_str().unwrap().to_owned(), count)
        };
        let (payment_id, order_id) = ids.clone();
        let authorized = PaymentAuthorized { payment_id, order_id, ..PaymentAuthorized::default() };
        shop.tell("payment", id, &authorized).await;
        assert_eq!(status().await, ("authorized".into(), 2));
        capture(&shop, &order, 1490).await;
        assert_eq!(status().await, ("captured".into(), 3));
        for (refund, sum, expected) in [(490, 490, "partially_refunded"), (1000, 1490, "refunded")]
        {
            let (payment_id, order_id) = ids.clone();
            let refunded = PaymentRefunded {
                payment_id,
                order_id,
                refund_id: Vec::new(),
                amount_minor: refund,
                refunded_minor: sum,
                currency: "EUR".into(),
            };
            shop.tell("payment", id, &refunded).await;
            assert_eq!(status().await.0, expected);
        }
        // An order that nobody knows is no reason to stop.
        let stranger = Uuid::from_u128(99);
        let (payment_id, order_id) = (stranger.as_bytes().to_vec(), stranger.as_bytes().to_vec());
        shop.tell("payment", stranger, &PaymentVoided { payment_id, order_id }).await;
    })
    .await;
}

#[tokio::test]
async fn staff_lists_orders_by_stored_states() {
    on_both(async |shop: Shop| {
        let (_, first) = shop.order(&shop.guest()).await;
        shop.time.advance(std::time::Duration::from_secs(10));
        let (_, second) = shop.order(&shop.customer(1)).await;
        shop.time.advance(std::time::Duration::from_secs(10));
        let declined = shop.guest_cart(&[(1, 1)]).await.complete("k", "tok_declined").await;
        let declined = declined.expect(201).body;
        capture(&shop, &second, 1490).await;
        let clerk = shop.staff(&["orders:read"]);
        // Orders by a letter each: the first, the second, the declined one.
        let letter = |order: &Value| match &order["id"] {
            id if *id == first["id"] => 'a',
            id if *id == second["id"] => 'b',
            id if *id == declined["id"] => 'c',
            other => panic!("{other} is not one of them"),
        };
        let page = async |query: &str| {
            let page = clerk.get(&format!("/v1/admin/orders{query}")).await.expect(200).body;
            let letters: String = page["items"].as_array().unwrap().iter().map(letter).collect();
            (letters, page["next_cursor"].as_str().map(str::to_owned))
        };
        let customer = kernel::id::encode("acc", Uuid::from_u128(1));
        let when = second["placed_at"].as_str().unwrap();
        for (query, expected) in [
            (String::new(), "cba"),
            ("?status=confirmed".to_owned(), "ba"),
            ("?status=rejected".to_owned(), "c"),
            ("?payment_status=captured".to_owned(), "b"),
            ("?number=1001".to_owned(), "a"),
            (format!("?customer_id={customer}"), "b"),
            (format!("?placed_after={when}"), "c"),
            (format!("?placed_before={when}"), "a"),
            (format!("?status=confirmed&placed_before={when}"), "a"),
        ] {
            assert_eq!(page(&query).await.0, expected, "{query}");
        }
        let (letters, next) = page("?limit=2").await;
        assert_eq!(letters, "cb");
        let last = page(&format!("?limit=2&cursor={}", next.unwrap())).await;
        assert_eq!(last, ("a".to_owned(), None));

        shop.staff(&["catalog:write"]).get("/v1/admin/orders").await.expect(403);
        shop.customer(1).get("/v1/admin/orders").await.expect(403);
        shop.guest().get("/v1/admin/orders").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn staff_cancels_with_a_reason_that_stays_inside() {
    on_both(async |shop: Shop| {
        let ada = shop.customer(1);
        let (_, order) = shop.order(&ada).await;
        capture(&shop, &order, 1490).await;
        let clerk = shop.staff(&["orders:read", "orders:cancel"]);
        let cancel = format!("{}/cancel", admin(&order));
        let stale = clerk.with("if-match", "\"1\"");
        stale.post(&cancel, json!({"reason": "late"})).await.expect(412);
        let cancelled = clerk.post(&cancel, json!({"reason": "Ada called."})).await.expect(200);
        assert_eq!(cancelled.body["cancellation"]["reason"], "Ada called.");
        assert!(cancelled.body["cancellation"]["by"].as_str().unwrap().starts_with("staff:"));
        let seen = ada.get(&path(&order)).await.expect(200).body.to_string();
        assert!(!seen.contains("called") && !seen.contains("staff"));
        let outbox = shop.executor.store().outbox(100).await.unwrap();
        let told = String::from_utf8_lossy(&outbox.last().unwrap().data).into_owned();
        assert!(!told.contains("called"));
        shop.staff(&["orders:read"]).post(&cancel, json!({"reason": "x"})).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn notes_are_for_staff() {
    on_both(async |shop: Shop| {
        let ada = shop.customer(1);
        let (_, order) = shop.order(&ada).await;
        let clerk = shop.staff(&["orders:*"]);
        let notes = format!("{}/notes", admin(&order));
        let noted = clerk.post(&notes, json!({"text": "Gift wrap.\nTwice."})).await.expect(201);
        assert_eq!(noted.body["notes"][0]["text"], "Gift wrap.\nTwice.");
        assert!(!ada.get(&path(&order)).await.body.to_string().contains("Gift"));
        for bad in [json!({"text": ""}), json!({"text": " "}), json!({"text": "a\u{7}b"})] {
            assert_eq!(clerk.post(&notes, bad).await.expect(400).fields()[0], "text");
        }
        for _ in 1..100 {
            clerk.post(&notes, json!({"text": "x"})).await.expect(201);
        }
        clerk.post(&notes, json!({"text": "x"})).await.expect(409);
    })
    .await;
}

#[tokio::test]
async fn other_services_read_an_order_without_personal_data() {
    on_both(async |shop: Shop| {
        let (_, order) = shop.order(&shop.guest()).await;
        let order_id = uuid_of(&order["id"]).as_bytes().to_vec();
        let reply = shop.api.get_order(shop.context(), GetOrderRequest { order_id }).await.unwrap();
        assert_eq!((reply.status.as_str(), reply.total_minor), ("confirmed", 1490));
        let nobody = GetOrderRequest { order_id: vec![0; 16] };
        let missing = shop.api.get_order(shop.context(), nobody).await.unwrap_err();
        assert_eq!(missing.kind, kernel::ErrorKind::NotFound);
        let broken = GetOrderRequest { order_id: vec![1] };
        let broken = shop.api.get_order(shop.context(), broken).await.unwrap_err();
        assert_eq!(broken.kind, kernel::ErrorKind::Invalid);
    })
    .await;
}

#[tokio::test]
async fn events_carry_no_personal_data() {
    on_both(async |shop: Shop| {
        shop.open(&shop.customer(1), cart(&[(1, 1)]))
            .await
            .complete("k", "tok_ok")
            .await
            .expect(201);
        for envelope in shop.executor.store().outbox(100).await.unwrap() {
            let text = String::from_utf8_lossy(&envelope.data).into_owned();
            for personal in ["Ada", "example.com", "Berlin", "tok_ok"] {
                assert!(!text.contains(personal), "{}: {personal}", envelope.event_type);
            }
        }
    })
    .await;
}
