//! What a key is good for, and what not.

use http::Method;
use serde_json::json;
use testkit::checkout::Cart;
use testkit::money::provider_ledger;
use testkit::people::Customer;
use testkit::shelf::{stock_article, until_level};
use testkit::{Client, Shop, Start, Topology, until};

/// Each is refused with 400, and the header is named.
fn malformed() -> Vec<Vec<u8>> {
    vec![
        b"".to_vec(),
        b" ".to_vec(),
        b"two words".to_vec(),
        b"tab\there".to_vec(),
        "schlüssel".as_bytes().to_vec(),
        b"\xff\xfe".to_vec(),
        vec![b'k'; 256],
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_of_one_owner_one_body_and_well_formed() {
    let start = Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded);
    let shop = Shop::start(start).await;
    let admin = shop.admin().await;
    let article = stock_article(&admin, 900, 20).await.variant;
    malformed_keys_buy_nothing(&shop, &article).await;
    another_body_is_refused_before_and_after(&shop, &article).await;
    until_level(&admin, &article, 19, 0).await;
    owners_do_not_meet(&shop, &article).await;
    until_level(&admin, &article, 16, 0).await;
}

async fn malformed_keys_buy_nothing(shop: &Shop, article: &str) {
    let cart = Cart::open(&shop.client(), &[(article, 1)]).await;
    let body = json!({ "expected_total": cart.total(), "payment_token": "tok_approved" });
    let ask = || cart.ask(Method::POST, "/complete").json(&body);
    ask().send().await.expect_problem(400, "idempotency-key-missing");
    for key in malformed() {
        let reply = ask().header("idempotency-key", &key).send().await;
        assert!(reply.status == 400 && reply.is_problem(), "{key:?}: {reply}");
        assert_eq!(reply.fields(), ["idempotency-key"], "{key:?}: {reply}");
    }
    let twice = ask().key("one").key("two").send().await;
    assert!(twice.status == 400 && twice.is_problem(), "{twice}");
    let view = cart.ask(Method::GET, "").send().await.expect_status(200).body;
    assert_eq!(view["status"], "open", "{view}");
    // The longest that is allowed.
    let longest = "k".repeat(255);
    let sold_out = json!({ "expected_total": { "amount": 1, "currency": "EUR" },
        "payment_token": "tok_approved" });
    let reply = cart.ask(Method::POST, "/complete").key(&longest).json(&sold_out).send().await;
    assert_eq!(reply.status, 409, "the key is fine, the total is not: {reply}");
}

async fn another_body_is_refused_before_and_after(shop: &Shop, article: &str) {
    let cart = Cart::open(&shop.client(), &[(article, 1)]).await;
    let key = cart.client.fresh_key();
    let (first, ()) = futures_util::future::join(
        cart.completion("tok_needs_time", &key).send(),
        while_it_runs(&cart, &key),
    )
    .await;
    let order = cart.order(first).await;
    assert_eq!(order.status(), "confirmed", "{}", order.view);
    let again = until("the key is answered", async || {
        let reply = cart.completion("tok_needs_time", &key).send().await;
        (reply.status == 201).then_some(reply)
    })
    .await;
    assert_eq!(again.id(), order.id());
    let other = cart.completion("tok_approved", &key).send().await;
    other.expect_problem(422, "idempotency-key-reused");
    assert_eq!(provider_ledger(shop)[order.id()].authorized, 1);
}

/// The first request with the key is at the provider.
async fn while_it_runs(cart: &Cart, key: &str) {
    let mut seen = cart.clone();
    until("the checkout runs", async || (seen.refresh().await["status"] != "open").then_some(()))
        .await;
    let same = cart.completion("tok_needs_time", key).send().await;
    same.expect_problem(409, "request-in-progress");
    let other = cart.completion("tok_approved", key).send().await;
    other.expect_problem(422, "idempotency-key-reused");
}

async fn owners_do_not_meet(shop: &Shop, article: &str) {
    let one = Customer::register(&shop.client()).await.client;
    let two = Customer::register(&shop.client()).await.client;
    let nobody = shop.client();
    let key = nobody.fresh_key();
    let mut orders = std::collections::BTreeSet::new();
    for owner in [&one, &two, &nobody] {
        orders.insert(bought(owner, article, &key).await);
    }
    assert_eq!(orders.len(), 3, "each owner has an order of their own: {orders:?}");
    let ledger = provider_ledger(shop);
    assert!(orders.iter().all(|order| ledger[order].authorized == 1), "{ledger:?}");
}

async fn bought(owner: &Client, article: &str, key: &str) -> String {
    let cart = Cart::open(owner, &[(article, 1)]).await;
    let first = cart.completion("tok_approved", key).send().await.expect_status(201);
    let again = cart.completion("tok_approved", key).send().await;
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes), "the same answer");
    first.id()
}
