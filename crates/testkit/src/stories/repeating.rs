//! Asking twice, and hanging up.

use futures_util::future::join_all;
use http::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::checkout::Cart;
use crate::money::provider_ledger;
use crate::shelf::{stock_article, until_level};
use crate::{Shop, until};

pub async fn the_same_key_twice_is_one_order(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 750, 10).await;
    let cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
    let key = cart.client.fresh_key();

    let unkeyed =
        cart.ask(Method::POST, "/complete").json(&json!({ "expected_total": cart.total() }));
    unkeyed.send().await.expect_status(400);

    let together = join_all((0..4).map(|_| cart.completion("tok_approved", &key).send())).await;
    for reply in &together {
        // Whoever comes while the first one is at work is told so.
        assert!([201, 202, 409].contains(&reply.status.as_u16()), "{reply}");
    }
    let first = together.into_iter().find(|reply| reply.status == 201);
    let first = first.expect("one of them is answered with the order");

    let again = cart.completion("tok_approved", &key).send().await;
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes), "the same answer");
    for name in ["location", "etag"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    // The same key with another body is a mistake of the caller's.
    cart.completion("tok_declined", &key).send().await.expect_status(422);
    assert_eq!(first.body["status"], "confirmed", "{first}");
    assert_eq!(provider_ledger(shop)[&first.id()].authorized, 1);
    until_level(&admin, &article.variant, 9, 0).await;
}

pub async fn a_buyer_who_hangs_up_still_gets_the_order(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 1_250, 4).await;
    let mut cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
    let body = json!({ "expected_total": cart.total(), "payment_token": "tok_needs_time" });
    let key = cart.client.fresh_key();
    send_and_hang_up(&cart, &key, &body.to_string()).await;

    let order = until("the cart has made its order", async || cart.made().await).await;
    assert_eq!(order.status(), "confirmed", "{}", order.view);
    assert_eq!(provider_ledger(shop)[order.id()].authorized, 1);
    until_level(&admin, &article.variant, 3, 0).await;

    // Asking again with the same key finds the answer that nobody heard.
    let again = cart.ask(Method::POST, "/complete").key(&key).json(&body).send().await;
    assert_eq!(again.expect_status(201).id(), order.id());
}

/// Sends the whole request and closes the connection at once, without reading a byte.
async fn send_and_hang_up(cart: &Cart, key: &str, body: &str) {
    let host = cart.client.base().trim_start_matches("http://").to_owned();
    let request = format!(
        "POST {}/complete HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         cart-secret: {}\r\nidempotency-key: {key}\r\ncontent-length: {}\r\n\r\n{body}",
        cart.path(),
        cart.secret.as_deref().unwrap_or_default(),
        body.len(),
    );
    let mut stream = TcpStream::connect(&host).await.expect("the shop listens");
    stream.write_all(request.as_bytes()).await.expect("the shop reads");
    // The shop has begun once the cart says so; only then does the buyer leave.
    let mut cart = cart.clone();
    until("the checkout has begun", async || {
        (cart.refresh().await["status"] != "open").then_some(())
    })
    .await;
    drop(stream);
}
