//! Carts: who reaches them, what they hold, what they cost.

use serde_json::json;

use crate::shop::{Shop, address, cart, on_both, var};

#[tokio::test]
async fn a_guests_cart_is_reached_by_its_secret_alone() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 2)]).await;
        assert_eq!(opened.body["secret"].as_str().unwrap().len(), 64);
        let read = opened.read().await.expect(200);
        assert_eq!(read.body["secret"], json!(null));
        assert_eq!(read.version(), Some(1));

        for stranger in [
            shop.guest(),
            shop.guest().with("cart-secret", "wrong"),
            shop.customer(1),
            shop.customer(1).with("cart-secret", "wrong"),
            shop.staff(&["*"]),
        ] {
            let line = json!({"variant_id": var(1), "quantity": 1});
            let path = opened.path();
            stranger.get(&path).await.expect(404);
            stranger.patch(&path, json!({"email": null})).await.expect(404);
            stranger.delete(&path).await.expect(404);
            stranger.post(&format!("{path}/lines"), line).await.expect(404);
            stranger
                .put(&format!("{path}/lines/{}", var(1)), json!({"quantity": 3}))
                .await
                .expect(404);
            stranger.delete(&format!("{path}/lines/{}", var(1))).await.expect(404);
            stranger.get(&format!("{path}/shipping-methods")).await.expect(404);
            let complete = json!({"expected_total": opened.total(), "payment_token": "tok_ok"});
            let stranger = stranger.with("idempotency-key", "stolen");
            stranger.post(&format!("{path}/complete"), complete).await.expect(404);
        }
        assert_eq!(opened.read().await.expect(200).version(), Some(1));
    })
    .await;
}

#[tokio::test]
async fn a_customers_cart_is_theirs_and_has_no_secret() {
    on_both(async |shop: Shop| {
        let ada = shop.customer(1);
        ada.get("/v1/me/cart").await.expect(404);
        let opened = shop.open(&ada, cart(&[(1, 1)])).await;
        assert_eq!(opened.body["secret"], json!(null));
        assert_eq!(ada.get("/v1/me/cart").await.expect(200).body["id"], opened.body["id"]);
        shop.customer(2).get(&opened.path()).await.expect(404);
        shop.guest().get("/v1/me/cart").await.expect(401);

        let second = ada.post("/v1/carts", cart(&[])).await.expect(409);
        assert_eq!(second.slug(), "open-cart-exists");
        ada.delete(&opened.path()).await.expect(204);
        shop.open(&ada, cart(&[])).await;
    })
    .await;
}

#[tokio::test]
async fn prices_come_from_catalog_each_time_a_cart_is_read() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 2), (2, 1)]).await;
        let totals = &opened.body["totals"];
        assert_eq!(totals["subtotal"], json!({"amount": 4000, "currency": "EUR"}));
        assert_eq!(totals["shipping"]["amount"], 490);
        assert_eq!(totals["total"]["amount"], 4490);
        assert_eq!(opened.body["lines"][0]["title"], "Thing 1");
        assert_eq!(opened.body["shipping"]["status"], "settled");

        shop.world.facts().prices.insert(1, 2000);
        let read = opened.read().await.expect(200).body;
        assert_eq!(read["totals"]["subtotal"]["amount"], 6000);
        // Free from fifty euros on.
        assert_eq!(read["totals"]["total"]["amount"], 6000);

        // A client cannot name a price.
        let line =
            json!({"variant_id": var(1), "quantity": 1, "price": {"amount": 1, "currency": "EUR"}});
        let refused = opened.client.post(&format!("{}/lines", opened.path()), line).await;
        assert_eq!(refused.expect(400).fields(), ["price"]);
    })
    .await;
}

#[tokio::test]
async fn lines_are_added_set_and_removed_within_limits() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[]).await;
        let (client, path) = (&opened.client, opened.path());
        let add = async |n, quantity| {
            let line = json!({"variant_id": var(n), "quantity": quantity});
            client.post(&format!("{path}/lines"), line).await
        };
        add(1, 2).await.expect(200);
        let added = add(1, 3).await.expect(200);
        assert_eq!(added.body["lines"][0]["quantity"], 5);
        assert_eq!(added.version(), Some(3));
        assert_eq!(add(1, 9995).await.expect(422).slug(), "too-many-units");
        assert_eq!(add(4, 1).await.expect(422).fields(), ["variant_id"]);
        assert_eq!(add(77, 1).await.expect(422).slug(), "not-purchasable");
        let one = format!("{path}/lines/{}", var(1));
        let set = client.put(&one, json!({"quantity": 9999})).await.expect(200);
        assert_eq!(set.body["lines"][0]["quantity"], 9999);
        client.delete(&one).await.expect(200);
        client.delete(&one).await.expect(404);
        assert_eq!(opened.read().await.body["lines"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_stale_version_is_refused_and_changes_nothing() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        let path = opened.path();
        let first = opened.client.with("if-match", "\"1\"");
        first.patch(&path, json!({"email": "eve@example.com"})).await.expect(200);
        let stale = first.patch(&path, json!({"email": "mal@example.com"})).await.expect(412);
        assert_eq!(stale.slug(), "cart-changed");
        first.delete(&path).await.expect(412);
        let read = opened.read().await.expect(200);
        assert_eq!(
            (read.body["email"].as_str(), read.version()),
            (Some("eve@example.com"), Some(2))
        );
    })
    .await;
}

#[tokio::test]
async fn absent_fields_stay_and_null_clears() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        let path = opened.path();
        let body = json!({"billing_address": address(), "email": null});
        let changed = opened.client.patch(&path, body).await.expect(200).body;
        assert_eq!(changed["email"], json!(null));
        assert_eq!(changed["shipping_address"]["city"], "Berlin");
        assert_eq!(changed["billing_address"]["city"], "Berlin");
    })
    .await;
}

#[tokio::test]
async fn a_guests_cart_becomes_the_customers_and_adds_up_with_what_is_there() {
    on_both(async |shop: Shop| {
        let ada = shop.customer(1);
        let guest = shop.guest_cart(&[(1, 2), (2, 1)]).await;
        let secret = guest.body["secret"].as_str().unwrap();
        let claim = ada.with("cart-secret", secret);
        let merge = format!("{}/merge", guest.path());

        // Without the secret there is nothing to claim.
        ada.post(&merge, json!({})).await.expect(404);
        shop.guest().with("cart-secret", secret).post(&merge, json!({})).await.expect(401);

        let claimed = claim.send(http::Method::POST, &merge, None).await.expect(200).body;
        assert_eq!(claimed["id"], guest.body["id"]);
        // The secret has lost its power.
        guest.read().await.expect(404);
        ada.get(&guest.path()).await.expect(200);

        // A second guest's cart goes into it.
        let other = shop.guest_cart(&[(1, 9998), (3, 1)]).await;
        let claim = ada.with("cart-secret", other.body["secret"].as_str().unwrap());
        let merge = format!("{}/merge", other.path());
        for _ in 0..2 {
            let merged = claim.send(http::Method::POST, &merge, None).await.expect(200).body;
            assert_eq!(merged["id"], guest.body["id"]);
            let quantities: Vec<_> =
                merged["lines"].as_array().unwrap().iter().map(|l| l["quantity"].clone()).collect();
            assert_eq!(quantities, [9999, 1, 1]);
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_key_opens_one_cart() {
    on_both(async |shop: Shop| {
        let guest = shop.guest().with("idempotency-key", "once");
        let one = guest.post("/v1/carts", cart(&[(1, 1)])).await.expect(201);
        let two = guest.post("/v1/carts", cart(&[(1, 1)])).await.expect(201);
        assert_ne!(one.body["secret"], two.body["secret"]);
        let client = shop.customer(7).with("idempotency-key", "once");
        let first = client.post("/v1/carts", cart(&[(1, 1)])).await.expect(201);
        let again = client.post("/v1/carts", cart(&[(1, 1)])).await.expect(201);
        assert_eq!(first.body, again.body);
        assert_eq!(first.headers.get("location"), again.headers.get("location"));
        client.post("/v1/carts", cart(&[(1, 2)])).await.expect(422);
    })
    .await;
}

#[tokio::test]
async fn carts_that_nobody_touches_expire() {
    on_both(async |shop: Shop| {
        let old = shop.guest_cart(&[(1, 1)]).await;
        let day = std::time::Duration::from_hours(24);
        shop.time.advance(day * 20);
        let kept = shop.guest_cart(&[(1, 1)]).await;
        shop.time.advance(day * 11);
        old.read().await.expect(404);
        shop.turn("ordering.carts").await;
        old.read().await.expect(404);
        kept.read().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_cart_waits_for_catalog_and_is_not_changed_without_it() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        shop.world.facts().catalog_is_down = true;
        let read = opened.read().await.expect(503);
        assert!(!read.body["detail"].as_str().unwrap().contains("down"));
        let line = json!({"variant_id": var(2), "quantity": 1});
        opened.client.post(&format!("{}/lines", opened.path()), line).await.expect(503);
        shop.world.facts().catalog_is_down = false;
        assert_eq!(opened.read().await.expect(200).version(), Some(1));
    })
    .await;
}
