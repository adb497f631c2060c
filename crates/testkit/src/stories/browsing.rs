//! From the shelf to the order.

use serde_json::{Value, json};

use crate::checkout::Cart;
use crate::money::payment_of;
use crate::people::address;
use crate::shelf::{edit, level, receive, stock_article, stock_parcel, until_level};
use crate::{Shop, until};

pub async fn browse_cart_pay_confirmed(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 1_999, 5).await;
    let front = shop.client();

    for name in [&article.product, &article.handle] {
        let product = front.get(format!("/v1/products/{name}")).await.expect_status(200);
        assert_eq!(product.text("/title"), article.title);
        assert_eq!(product.text("/variants/0/id"), article.variant);
    }
    let newest = front.get("/v1/products?sort=newest&limit=100").await.expect_status(200);
    let cards = newest.body["items"].as_array().expect("a list").clone();
    assert!(cards.iter().any(|card| card["handle"] == article.handle.as_str()), "{newest}");
    let word = article.handle.trim_start_matches("thing-");
    until("search finds the product", async || {
        let hits = front.get(format!("/v1/search?q={word}")).await.expect_status(200);
        hits.bytes
            .windows(article.product.len())
            .any(|w| w == article.product.as_bytes())
            .then_some(())
    })
    .await;

    let mut cart = Cart::open(&front, &[(&article.variant, 1)]).await;
    let add = json!({ "variant_id": article.variant, "quantity": 2 });
    let reply = cart.ask(http::Method::POST, "/lines").json(&add).send().await;
    assert!(reply.status.is_success(), "{reply}");
    assert_eq!(cart.refresh().await["lines"][0]["quantity"], 3);
    assert_eq!(cart.total(), json!({ "amount": 3 * 1_999, "currency": "EUR" }));

    let order = cart.buy().await;
    assert_eq!(order.total_minor(), 3 * 1_999);
    assert!(!order.view["number"].is_null(), "a confirmed order has a number: {}", order.view);
    assert_eq!(order.view["lines"][0]["variant_id"], article.variant.as_str());
    until_level(&admin, &article.variant, 2, 0).await;
    let payment = payment_of(&admin, order.id()).await.expect("a paid order has a payment");
    assert_eq!(payment["amount"]["amount"], 3 * 1_999, "{payment}");
    assert_eq!(payment["status"], "authorized", "{payment}");
    let seen = admin.get(format!("/v1/admin/orders/{}", order.id())).await.expect_status(200);
    assert_eq!(seen.body["totals"], order.view["totals"]);
}

pub async fn what_is_shipped_needs_an_address_and_costs_shipping_and_tax(shop: &Shop) {
    let admin = shop.admin().await;
    // A country that no other story ships to.
    set_tariff(&admin, "NZ").await;
    let article = stock_parcel(&admin, 10_000, 3).await;
    let mut cart = Cart::open(&shop.client(), &[(&article.variant, 2)]).await;

    let early = cart.complete("tok_approved").await;
    assert!(early.status.is_client_error() && early.is_problem(), "{early}");
    cart.change(&json!({ "shipping_address": address("NZ") })).await;
    let methods = cart.ask(http::Method::GET, "/shipping-methods").send().await.expect_status(200);
    let offered = methods.body["items"].as_array().expect("a list of methods").clone();
    let method = offered
        .iter()
        .find(|method| method["name"].to_string().contains("Packhorse"))
        .unwrap_or_else(|| panic!("the method of the zone is offered: {methods}"));
    cart.change(&json!({ "shipping_method_id": method["id"] })).await;
    let totals = cart.view["totals"].clone();
    let minor = |name: &str| totals[name]["amount"].as_i64().expect("a sum");
    assert_eq!(minor("subtotal"), 20_000, "{totals}");
    assert_eq!(minor("shipping"), 590, "{totals}");
    assert!(minor("tax") > 0, "{totals}");
    let outside = if totals["tax_included"] == true { 0 } else { minor("tax") };
    assert_eq!(minor("total"), 20_590 + outside, "{totals}");

    let order = cart.buy().await;
    assert_eq!(order.view["totals"], totals, "an order costs what its cart said");
    assert_eq!(level(&admin, &article.variant).await.available, 1);
}

async fn set_tariff(admin: &crate::Client, country: &str) {
    let zone = json!({ "name": "Far away", "countries": [country] });
    let reply = admin.post("/v1/admin/shipping-zones", &zone).await;
    if reply.status == 409 {
        return;
    }
    let zone = reply.expect_status(201).id();
    let method = json!({
        "zone_id": zone,
        "name": { "en": "Packhorse" },
        "active": true,
        "prices": [{ "currency": "EUR", "flat": { "amount": 590, "currency": "EUR" } }],
    });
    admin.post("/v1/admin/shipping-methods", &method).await.expect_status(201);
    let rate = json!({
        "name": "GST 15 %", "country": country, "tax_class": "standard", "rate_percent": "15",
    });
    admin.post("/v1/admin/tax-rates", &rate).await.expect_status(201);
}

pub async fn a_price_that_changed_is_told_before_it_is_paid(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 500, 1).await;
    let mut cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
    let seen = cart.total();

    let path = format!("/v1/admin/products/{}", article.product);
    let old = admin.get(&path).await.expect_status(200);
    let raise = |body: &mut Value| body["variants"][0]["prices"][0]["price"]["amount"] = json!(700);
    edit(&admin, &article.product, raise).await.expect_status(200);

    until("the shop asks for the new price", async || {
        let body = json!({ "expected_total": seen, "payment_token": "tok_declined" });
        let key = cart.client.fresh_key();
        let ask = cart.ask(http::Method::POST, "/complete").key(&key).json(&body).send().await;
        (ask.status == 409).then(|| ask.expect_problem(409, "total-changed"))
    })
    .await;
    cart.refresh().await;
    assert_eq!(cart.total()["amount"], 700);
    assert_eq!(cart.buy().await.total_minor(), 700);

    // What a stale reader writes is refused, and changes nothing.
    let etag = old.header("etag").expect("products have an ETag");
    let stale = admin.request(http::Method::DELETE, &path).header("if-match", etag).send().await;
    assert_eq!(stale.status, 412, "{stale}");
    receive(&admin, &article.variant, 1).await;
    let late = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
    assert_eq!(late.total()["amount"], 700);
}
