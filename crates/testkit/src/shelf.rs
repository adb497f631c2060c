//! Goods: products to buy and the stock behind them.

use http::Method;
use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::document::Document;
use crate::people::unique;
use crate::until;

/// A published product with one variant that need not be shipped, and its stock.
#[derive(Clone, Debug)]
pub struct Article {
    pub product: String,
    pub variant: String,
    pub handle: String,
    pub title: String,
    pub sku: String,
    pub price_minor: i64,
}

/// What inventory says of a variant, summed over its locations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    pub on_hand: i64,
    pub reserved: i64,
    pub available: i64,
}

/// Puts a new product up for sale, in euro, with so many units.
pub async fn stock_article(admin: &Client, price_minor: i64, units: u32) -> Article {
    stock(admin, price_minor, units, false).await
}

/// [`stock_article`] of something that is sent to the buyer.
pub async fn stock_parcel(admin: &Client, price_minor: i64, units: u32) -> Article {
    stock(admin, price_minor, units, true).await
}

async fn stock(admin: &Client, price_minor: i64, units: u32, shipped: bool) -> Article {
    let handle = unique("thing");
    let sku = handle.to_uppercase();
    let title = format!("Thing {}", handle.trim_start_matches("thing-"));
    let body = json!({
        "handle": handle,
        "status": "published",
        "title": { "en": title },
        "variants": [{
            "sku": sku,
            "prices": [{ "price": { "amount": price_minor, "currency": "EUR" } }],
            "requires_shipping": shipped,
        }],
    });
    let made = admin.post("/v1/admin/products", &body).await.expect_status(201);
    let (product, variant) = (made.id(), made.text("/variants/0/id"));
    track(admin, &variant).await;
    if units > 0 {
        receive(admin, &variant, units).await;
    }
    Article { product, variant, handle, title, sku, price_minor }
}

/// Reads a product, changes it and writes it back, as somebody does who edits it. The reply tells
/// whether the shop took it.
pub async fn edit(admin: &Client, product: &str, change: impl FnOnce(&mut Value)) -> Reply {
    let document = Document::of(admin).await;
    let read = admin.get(format!("/v1/admin/products/{product}")).await.expect_status(200);
    let etag = read.header("etag").expect("products have an ETag").to_owned();
    let schema = document.operation_of("replace_product").body.expect("it takes a body");
    let mut body = document.fitted(&schema, &read.body);
    change(&mut body);
    let path = format!("/v1/admin/products/{product}");
    admin.request(Method::PUT, path).header("if-match", etag).json(&body).send().await
}

/// Counts the units of a variant, and never sells below zero.
pub async fn track(admin: &Client, variant: &str) {
    let policy = json!({ "tracked": true, "backorder": false, "low_stock_threshold": 0 });
    let path = format!("/v1/admin/inventory/policies/{variant}");
    admin.put(path, &policy).await.expect_status(200);
}

/// Books goods that came in.
pub async fn receive(admin: &Client, variant: &str, units: u32) {
    let body = json!({ "lines": [{ "variant_id": variant, "quantity": units }] });
    admin.post("/v1/admin/inventory/receipts", &body).await.expect_status(201);
}

pub async fn level(admin: &Client, variant: &str) -> Level {
    let path = format!("/v1/admin/inventory/levels?variant_id={variant}");
    let reply = admin.get(path).await.expect_status(200);
    let mut level = Level::default();
    for row in reply.body["items"].as_array().into_iter().flatten() {
        let number = |name: &str| row[name].as_i64().unwrap_or_else(|| panic!("{name}: {row}"));
        assert!(number("reserved") >= 0, "{row}");
        assert!(number("reserved") <= number("on_hand"), "nothing is sold twice: {row}");
        level.on_hand += number("on_hand");
        level.reserved += number("reserved");
        level.available += number("available");
    }
    level
}

/// Waits until stock stands so: what follows an order follows within a moment.
pub async fn until_level(admin: &Client, variant: &str, on_hand: i64, reserved: i64) {
    let what = format!("{variant} has {on_hand} on hand, {reserved} of them reserved");
    until(&what, async || {
        let level = level(admin, variant).await;
        (level.on_hand == on_hand && level.reserved == reserved).then_some(())
    })
    .await;
}

/// The reservation of an order; none when it never came so far.
pub async fn reservation_of(admin: &Client, order: &str) -> Option<Value> {
    let path = format!("/v1/admin/inventory/reservations?order_id={order}");
    let reply = admin.get(path).await.expect_status(200);
    reply.body["items"].get(0).cloned()
}
