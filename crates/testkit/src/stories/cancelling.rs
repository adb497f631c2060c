//! After the sale.

use http::Method;
use serde_json::{Value, json};

use crate::checkout::Cart;
use crate::money::{capture, payment_of, provider_ledger, refund};
use crate::shelf::{stock_article, until_level};
use crate::{Shop, until};

pub async fn cancelling_gives_back_money_and_goods(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 3_000, 5).await;

    // The buyer, while nothing is captured: the authorization goes.
    let cart = Cart::open(&shop.client(), &[(&article.variant, 2)]).await;
    let mut order = cart.buy().await;
    until_level(&admin, &article.variant, 3, 0).await;
    let key = order.client.fresh_key();
    let body = json!({});
    for _ in 0..2 {
        let reply = order.ask(Method::POST, "/cancel").key(&key).json(&body).send().await;
        assert_eq!(reply.expect_status(200).body["status"], "cancelled");
    }
    until_level(&admin, &article.variant, 5, 0).await;
    until("the money is free again", async || {
        let live = provider_ledger(shop)[order.id()].live_minor();
        (live == 0).then_some(())
    })
    .await;
    assert_eq!(order.refresh().await["status"], "cancelled");

    // Staff, after capturing: the money goes back.
    let cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
    let order = cart.buy().await;
    let payment = payment_of(&admin, order.id()).await.expect("it is paid");
    let payment = payment["id"].as_str().expect("an id");
    capture(&admin, payment, &Value::Null).await.expect_status(201);
    until("ordering knows of the capture", async || {
        let mine = order.ask(Method::POST, "/cancel").json(&json!({})).key(&admin.fresh_key());
        let seen = admin.get(format!("/v1/admin/orders/{}", order.id())).await.expect_status(200);
        let captured = seen.body["payment_status"] == "captured";
        if captured {
            mine.send().await.expect_problem(409, "already-captured");
        }
        captured.then_some(())
    })
    .await;
    let path = format!("/v1/admin/orders/{}/cancel", order.id());
    let reply = admin.post(path, &json!({ "reason": "damaged in store" })).await;
    assert_eq!(reply.expect_status(200).body["status"], "cancelled");
    until_level(&admin, &article.variant, 5, 0).await;
    until("the money went back", async || {
        let charges = provider_ledger(shop)[order.id()].clone();
        (charges.refunded_minor == 3_000 && charges.live_minor() == 0).then_some(())
    })
    .await;
}

pub async fn capture_and_refund_move_the_money_once(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 10_000, 1).await;
    let order = Cart::open(&shop.client(), &[(&article.variant, 1)]).await.buy().await;
    let payment = payment_of(&admin, order.id()).await.expect("it is paid");
    let id = payment["id"].as_str().expect("an id").to_owned();
    let euros = |minor: i64| json!({ "amount": minor, "currency": "EUR" });

    let too_much = capture(&admin, &id, &euros(10_001)).await;
    assert!(too_much.status.is_client_error() && too_much.is_problem(), "{too_much}");
    capture(&admin, &id, &euros(4_000)).await.expect_status(201);
    capture(&admin, &id, &Value::Null).await.expect_status(201);
    let none_left = capture(&admin, &id, &euros(1)).await;
    assert!(none_left.status.is_client_error(), "{none_left}");

    let key = admin.fresh_key();
    let first = refund(&admin, &id, &euros(2_500), &key).await.expect_status(201);
    let again = refund(&admin, &id, &euros(2_500), &key).await.expect_status(201);
    assert_eq!(first.bytes, again.bytes, "one refund, told twice");
    let over = refund(&admin, &id, &euros(7_501), &admin.fresh_key()).await;
    assert!(over.status.is_client_error() && over.is_problem(), "{over}");
    refund(&admin, &id, &Value::Null, &admin.fresh_key()).await.expect_status(201);

    let charges = provider_ledger(shop)[order.id()].clone();
    let moved = (charges.authorized, charges.captured_minor, charges.refunded_minor);
    assert_eq!(moved, (1, 10_000, 10_000));
    let ledger = admin.get(format!("/v1/admin/payments/{id}/ledger")).await.expect_status(200);
    let balances = ledger.body["balances"].as_array().expect("balances").clone();
    let sum: i64 = balances.iter().filter_map(|posting| posting["amount"]["amount"].as_i64()).sum();
    assert_eq!(sum, 0, "double entry adds up to zero: {ledger}");
    until("the order shows that its money went back", async || {
        let seen = admin.get(format!("/v1/admin/orders/{}", order.id())).await.expect_status(200);
        (seen.body["payment_status"] == "refunded").then_some(())
    })
    .await;
}
