//! From cart to order.

use futures_util::future::join_all;
use serde_json::json;

use crate::shop::{Shop, cart, in_a_hurry, on_both, until, uuid_of, var};

#[tokio::test]
async fn a_cart_becomes_a_confirmed_order_with_the_next_number() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 2), (2, 1)]).await;
        let reply = opened.complete("k1", "tok_ok").await.expect(201);
        let order = &reply.body;
        assert_eq!((&order["status"], &order["number"]), (&json!("confirmed"), &json!(1001)));
        assert_eq!(order["payment_status"], "authorized");
        assert_eq!(order["totals"]["total"], opened.total());
        let location = reply.headers["location"].to_str().unwrap();
        assert_eq!(location, format!("/v1/orders/{}", order["id"].as_str().unwrap()));
        assert_eq!(opened.client.get(location).await.expect(200).body, *order);
        let id = uuid_of(&order["id"]);
        assert_eq!(shop.world.facts().authorized[&id], 4490);
        assert_eq!(shop.world.stock(1), 998);
        assert_eq!(shop.events().await, ["OrderPlaced", "OrderConfirmed"]);
        let read = opened.read().await.expect(200).body;
        assert_eq!((&read["status"], &read["order_id"]), (&json!("ordered"), &order["id"]));
    })
    .await;
}

#[tokio::test]
async fn the_same_key_twice_makes_one_order_and_one_answer() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        let first = opened.complete("k1", "tok_ok").await.expect(201);
        let again = opened.complete("k1", "tok_ok").await.expect(201);
        assert_eq!(first.body, again.body);
        assert_eq!(first.headers["location"], again.headers["location"]);
        assert_eq!(
            opened.complete("k1", "tok_other").await.expect(422).slug(),
            "idempotency-key-reused"
        );
        assert_eq!(shop.world.facts().charges.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_cart_completed_from_many_connections_makes_one_order() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        let keys: Vec<String> = (0..8).map(|n| format!("k{n}")).collect();
        let replies = join_all(keys.iter().map(|key| opened.complete(key, "tok_lost"))).await;
        let ids: std::collections::HashSet<String> = replies
            .into_iter()
            .map(|reply| reply.expect(201).body["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(shop.world.facts().charges.len(), 1);
        assert_eq!(shop.world.stock(1), 999);
    })
    .await;
}

#[tokio::test]
async fn the_same_key_at_once_runs_once() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        let replies = join_all((0..8).map(|_| opened.complete("k", "tok_lost"))).await;
        let good = replies.iter().filter(|reply| reply.status == 201).count();
        let running = replies.iter().filter(|reply| reply.status == 409).count();
        assert!(good >= 1 && good + running == 8, "{replies:?}");
        opened.complete("k", "tok_lost").await.expect(201);
        assert_eq!(shop.world.facts().charges.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn another_total_than_the_buyer_saw_buys_nothing() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        shop.world.facts().prices.insert(1, 1100);
        let refused = opened.complete("k1", "tok_ok").await.expect(409);
        assert_eq!((refused.slug(), refused.fields()), ("total-changed", vec!["expected_total"]));
        assert!(refused.body["detail"].as_str().unwrap().contains("15.90 EUR"));
        assert_eq!(shop.world.stock(1), 1000);
        assert!(shop.events().await.is_empty());
        // The key is free: nothing happened under it.
        let body = json!({"expected_total": {"amount": 1590, "currency": "EUR"}, "payment_token": "tok_ok"});
        opened.complete_with("k1", body).await.expect(201);
        let dollars = shop.guest_cart(&[(1, 1)]).await;
        let body = json!({"expected_total": {"amount": 1590, "currency": "USD"}, "payment_token": "tok_ok"});
        dollars.complete_with("k2", body).await.expect(409);
    })
    .await;
}

#[tokio::test]
async fn a_declined_card_gives_the_goods_back_and_the_cart_can_be_paid_with_another() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 3)]).await;
        let declined = opened.complete("k1", "tok_declined").await.expect(201).body;
        assert_eq!(declined["status"], "rejected");
        assert_eq!(declined["rejection"]["reason"], "payment_declined");
        assert_eq!(declined["rejection"]["decline_code"], "card_declined");
        assert_eq!(
            (&declined["number"], &declined["payment_status"]),
            (&json!(null), &json!(null))
        );
        assert_eq!(shop.world.stock(1), 1000);
        assert_eq!(opened.read().await.body["status"], "open");
        // The key keeps its answer; another one buys.
        assert_eq!(opened.complete("k1", "tok_declined").await.expect(201).body, declined);
        let order = opened.complete("k2", "tok_ok").await.expect(201).body;
        assert_ne!(order["id"], declined["id"]);
        assert_eq!(order["number"], 1001, "a failed checkout leaves no gap");
        assert_eq!(shop.world.stock(1), 997);
        let events = shop.events().await;
        assert_eq!(events, ["OrderPlaced", "OrderRejected", "OrderPlaced", "OrderConfirmed"]);
    })
    .await;
}

#[tokio::test]
async fn a_customer_who_opened_another_cart_meanwhile_keeps_that_one() {
    on_both(async |shop: Shop| {
        let ada = shop.customer(1);
        let opened = shop.open(&ada, cart(&[(1, 1)])).await;
        let completing = opened.complete("k1", "tok_wait");
        let open_another = async {
            let second = loop {
                let reply = ada.post("/v1/carts", cart(&[(2, 1)])).await;
                if reply.status == 201 {
                    break reply.body;
                }
                tokio::task::yield_now().await;
            };
            let order = opened.read().await.body["order_id"].clone();
            shop.world.facts().voided.insert(uuid_of(&order));
            shop.world.gate.add_permits(10);
            second
        };
        let (rejected, second) = tokio::join!(completing, open_another);
        assert_eq!(rejected.expect(201).body["status"], "rejected");
        assert_eq!(ada.get("/v1/me/cart").await.expect(200).body["id"], second["id"]);
        assert_eq!(opened.read().await.body["status"], "ordered");
    })
    .await;
}

#[tokio::test]
async fn a_key_that_joined_a_rejected_order_does_not_buy_when_it_is_sent_again() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        let first = opened.complete("k1", "tok_wait");
        let second = async {
            while opened.read().await.body["status"] != "ordered" {
                tokio::task::yield_now().await;
            }
            let order = opened.read().await.body["order_id"].clone();
            shop.world.facts().voided.insert(uuid_of(&order));
            let open_the_gate = async { shop.world.gate.add_permits(10) };
            tokio::join!(opened.complete("k2", "tok_wait"), open_the_gate).0
        };
        let (first, second) = tokio::join!(first, second);
        let (first, second) = (first.expect(201).body, second.expect(201).body);
        assert_eq!((&first["status"], &second), (&json!("rejected"), &first));
        assert_eq!(opened.read().await.body["status"], "open");
        assert_eq!(opened.complete("k2", "tok_wait").await.expect(201).body, first);
        assert_eq!(opened.complete("k3", "tok_wait").await.expect(201).body["status"], "confirmed");
    })
    .await;
}

#[tokio::test]
async fn calls_and_events_of_a_checkout_belong_to_the_trace_of_its_request() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        let client = opened.client.with("traceparent", &parent);
        let opened = crate::shop::Opened { client, ..opened };
        assert_eq!(opened.complete("k1", "tok_ok").await.expect(201).body["status"], "confirmed");
        let events = shop.executor.store().outbox(10).await.unwrap();
        assert_eq!(events.len(), 2);
        let asked = shop.world.facts().traces.clone();
        assert_eq!(asked.len(), 2, "for goods and for money");
        let told = events.into_iter().map(|event| event.traceparent);
        for traceparent in told.chain(asked) {
            let traceparent = traceparent.unwrap();
            assert_eq!(traceparent.split('-').nth(1), Some(trace), "{traceparent}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_last_unit_goes_to_one_of_two_buyers() {
    on_both(async |shop: Shop| {
        shop.world.facts().stock.insert(crate::world::variant(1), 1);
        let (ada, eve) = (shop.guest_cart(&[(1, 1)]).await, shop.guest_cart(&[(1, 1)]).await);
        let (a, b) = tokio::join!(ada.complete("a", "tok_ok"), eve.complete("b", "tok_ok"));
        let (a, b) = (a.expect(201).body, b.expect(201).body);
        let (winner, loser) = if a["status"] == "confirmed" { (a, b) } else { (b, a) };
        assert_eq!(winner["status"], "confirmed");
        assert_eq!(loser["rejection"]["reason"], "out_of_stock");
        let shortage = json!([{"variant_id": var(1), "requested": 1, "available": 0}]);
        assert_eq!(loser["rejection"]["shortages"], shortage);
        assert_eq!(shop.world.facts().charges.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_and_an_unknown_outcome_charge_once() {
    on_both(async |shop: Shop| {
        for token in ["tok_lost", "tok_unknown"] {
            let opened = shop.guest_cart(&[(1, 1)]).await;
            let order = opened.complete(token, token).await.expect(201).body;
            assert_eq!(order["status"], "confirmed", "{token}");
            let id = uuid_of(&order["id"]);
            let facts = shop.world.facts();
            assert!(facts.asked[&id] > 1);
            assert_eq!(facts.charges.iter().filter(|charge| **charge == id).count(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_that_payment_does_not_know_is_a_declined_card() {
    on_both(async |shop: Shop| {
        let opened = shop.guest_cart(&[(1, 1)]).await;
        let order = opened.complete("k", "tok_bad").await.expect(201).body;
        assert_eq!(order["rejection"]["reason"], "payment_declined");
        assert_eq!(order["rejection"]["decline_code"], "unknown-token");
        assert_eq!(shop.world.stock(1), 1000);
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_is_named() {
    on_both(async |shop: Shop| {
        let refused = async |change: serde_json::Value, token: Option<&str>| {
            let mut body = cart(&[(1, 1)]);
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            let opened = shop.open(&shop.guest(), body).await;
            let body = json!({"expected_total": opened.total(), "payment_token": token});
            let refused = opened.complete_with("k", body).await.expect(422);
            refused.slug().to_owned()
        };
        assert_eq!(refused(json!({"lines": []}), Some("tok_ok")).await, "cart-empty");
        assert_eq!(refused(json!({"email": null}), Some("tok_ok")).await, "email-missing");
        let none = json!({"shipping_address": null});
        assert_eq!(refused(none, Some("tok_ok")).await, "shipping-address-missing");
        assert_eq!(refused(json!({}), None).await, "payment-token-missing");
        let gone =
            json!({"shipping_method_id": kernel::id::encode("ship", crate::world::variant(1))});
        assert_eq!(refused(gone, Some("tok_ok")).await, "shipping-method-unavailable");

        let opened = shop.guest_cart(&[(1, 1)]).await;
        let without_key =
            opened.client.post(&format!("{}/complete", opened.path()), json!({})).await;
        assert_eq!(without_key.expect(400).slug(), "idempotency-key-missing");
        assert!(shop.events().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_free_and_not_shipped_needs_neither_token_nor_address() {
    on_both(async |shop: Shop| {
        let mut body = cart(&[(6, 1)]);
        body["shipping_address"] = json!(null);
        let opened = shop.open(&shop.guest(), body).await;
        assert_eq!(opened.body["shipping"]["status"], "not_needed");
        let order = opened.complete_with("k", json!({"expected_total": opened.total()})).await;
        let order = order.expect(201).body;
        assert_eq!(
            (&order["status"], &order["payment_status"]),
            (&json!("confirmed"), &json!(null))
        );
        assert!(shop.world.facts().asked.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_ordered_cart_cannot_be_changed() {
    on_both(async |shop: Shop| {
        let (opened, _) = shop.order(&shop.guest()).await;
        let line = json!({"variant_id": var(1), "quantity": 1});
        let refused = opened.client.post(&format!("{}/lines", opened.path()), line).await;
        assert_eq!(refused.expect(409).slug(), "cart-ordered");
        assert_eq!(opened.client.delete(&opened.path()).await.expect(409).slug(), "cart-ordered");
    })
    .await;
}

#[tokio::test]
async fn a_customer_needs_no_email_and_finds_the_order_in_the_list() {
    on_both(async |shop: Shop| {
        let ada = shop.customer(1);
        let mut body = cart(&[(1, 1)]);
        body["email"] = json!(null);
        let opened = shop.open(&ada, body).await;
        let order = opened.complete("k", "tok_ok").await.expect(201).body;
        let list = ada.get("/v1/orders").await.expect(200).body;
        assert_eq!(list["items"], json!([order]));
        // A new cart can be opened at once.
        shop.open(&ada, cart(&[(1, 1)])).await;
    })
    .await;
}

#[tokio::test]
async fn a_checkout_that_takes_long_is_answered_202_and_goes_on() {
    let shop = in_a_hurry();
    let opened = shop.guest_cart(&[(1, 1)]).await;
    let running = opened.complete("k1", "tok_wait").await.expect(202);
    assert_eq!(running.body["status"], "placed");
    let location = running.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(opened.client.get(&location).await.expect(200).body["status"], "placed");
    // Its key is still at work, and a cancel has to wait.
    assert_eq!(opened.complete("k1", "tok_wait").await.expect(409).slug(), "request-in-progress");
    let cancel = format!("{location}/cancel");
    opened.client.send(http::Method::POST, &cancel, None).await.expect(409);
    shop.world.gate.add_permits(1);
    let ended = opened.complete("k2", "tok_wait").await.expect(201).body;
    assert_eq!(ended["status"], "confirmed");
    assert_eq!(opened.complete("k1", "tok_wait").await.expect(201).body, ended);
}

#[tokio::test]
async fn a_key_that_joined_and_was_answered_202_is_answered_with_the_end_and_does_not_buy_again() {
    let shop = in_a_hurry();
    let opened = shop.guest_cart(&[(1, 1)]).await;
    let first = opened.complete("k1", "tok_wait").await.expect(202).body;
    let joined = opened.complete("k2", "tok_wait").await.expect(202).body;
    assert_eq!(joined["id"], first["id"]);
    let again = opened.complete("k2", "tok_wait").await.expect(409);
    assert_eq!(again.slug(), "request-in-progress", "as the first key is told");
    assert_eq!(opened.complete("k2", "tok_ok").await.expect(422).slug(), "idempotency-key-reused");
    // It is rejected, which opens the cart again.
    shop.world.facts().voided.insert(uuid_of(&first["id"]));
    shop.world.gate.add_permits(10);
    until("the cart is open again", async || {
        (opened.read().await.body["status"] == "open").then_some(())
    })
    .await;
    let first = opened.complete("k1", "tok_wait").await.expect(201);
    let joined = opened.complete("k2", "tok_wait").await.expect(201);
    assert_eq!(first.body["status"], "rejected");
    assert_eq!(joined.body, first.body);
    assert_eq!(joined.headers["location"], first.headers["location"]);
    assert_eq!(shop.world.facts().charges.len(), 0, "nothing was bought with the second key");
}

#[tokio::test]
async fn a_checkout_takes_so_many_keys_and_no_more() {
    let shop = in_a_hurry();
    let opened = shop.guest_cart(&[(1, 1)]).await;
    opened.complete("first", "tok_wait").await.expect(202);
    let keys: Vec<String> = (0..40).map(|n| format!("k{n}")).collect();
    let replies = join_all(keys.iter().map(|key| opened.complete(key, "tok_wait"))).await;
    let count = |status: u16| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(202), count(503)), (32, 8), "{replies:?}");
    shop.world.gate.add_permits(1);
    let ended = until("the checkout ends", async || {
        let reply = opened.complete(&keys[0], "tok_wait").await;
        (reply.status == 201).then_some(reply.body)
    })
    .await;
    for (key, told) in keys.iter().zip(&replies).filter(|(_, told)| told.status == 202) {
        assert_eq!(told.body["id"], ended["id"]);
        assert_eq!(opened.complete(key, "tok_wait").await.expect(201).body, ended);
    }
}

#[tokio::test]
async fn a_refused_void_ends_the_order_and_frees_the_cart() {
    let shop = in_a_hurry();
    let opened = shop.guest_cart(&[(1, 1)]).await;
    shop.world.facts().voids_are_refused = true;
    opened.complete("k1", "tok_unknown_for_long").await.expect(202);
    shop.time.advance(std::time::Duration::from_secs(700));
    let order = opened.complete("k2", "tok_unknown_for_long").await.expect(201).body;
    assert_eq!(order["rejection"]["reason"], "payment_unresolved");
    assert_eq!(opened.read().await.body["status"], "open");
    assert_eq!(shop.world.stock(1), 1000);
    // Another card buys the same cart.
    let bought = opened.complete("k3", "tok_ok").await.expect(201).body;
    assert_eq!(bought["status"], "confirmed");
    assert_ne!(bought["id"], order["id"]);
}

#[tokio::test]
async fn stock_that_never_answers_ends_in_a_rejection() {
    let shop = in_a_hurry();
    let opened = shop.guest_cart(&[(1, 1)]).await;
    shop.world.facts().inventory_is_down = true;
    opened.complete("k1", "tok_ok").await.expect(202);
    shop.time.advance(std::time::Duration::from_secs(40));
    let ended = opened.complete("k2", "tok_ok").await.expect(201).body;
    assert_eq!(ended["rejection"]["reason"], "timed_out");
    let id = uuid_of(&ended["id"]);
    let facts = shop.world.facts();
    assert!(facts.voided.contains(&id) && facts.released.contains(&id));
}
