//! Where the money is: as the shop tells it, and as the payment provider wrote it down.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::{Client, Reply};
use crate::shop::Shop;

/// What the test provider did for one order, from its own ledger file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Charges {
    /// How often it charged, whether that was told or not.
    pub authorized: usize,
    pub authorized_minor: i64,
    pub captured_minor: i64,
    pub refunded_minor: i64,
    pub voided: bool,
}

impl Charges {
    /// Money that the buyer lacks: held or taken, and not given back.
    pub fn live_minor(&self) -> i64 {
        let held = if self.voided { self.captured_minor } else { self.authorized_minor };
        held - self.refunded_minor
    }
}

/// The provider's ledger by order, read from its file: nothing of the shop stands between.
pub fn provider_ledger(shop: &Shop) -> BTreeMap<String, Charges> {
    let path = shop.data().join("test-provider/test-provider.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let mut orders: BTreeMap<String, Charges> = BTreeMap::new();
    let mut order_of_charge: BTreeMap<String, String> = BTreeMap::new();
    let lines: Vec<Value> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for line in lines.iter().filter(|line| was_done(line)) {
        let key = line["key"].as_str().unwrap_or_default();
        let amount = line["amount_minor"].as_i64().unwrap_or_default();
        if line["operation"] == "authorize" {
            let order = line["order"].as_str().unwrap_or(key).to_owned();
            order_of_charge.insert(reference(key), order.clone());
            let charges = orders.entry(order).or_default();
            charges.authorized += 1;
            charges.authorized_minor += amount;
            continue;
        }
        let charge = line["charge"].as_str().unwrap_or_default();
        let order = order_of_charge.get(charge).expect("a charge comes before what is made of it");
        let charges = orders.entry(order.clone()).or_default();
        match line["operation"].as_str() {
            Some("capture") => charges.captured_minor += amount,
            Some("refund") => charges.refunded_minor += amount,
            Some("void") => charges.voided = true,
            other => panic!("the provider's ledger holds {other:?}"),
        }
    }
    orders
}

/// How the provider names the charge that it made under `key`.
fn reference(key: &str) -> String {
    let hash = Sha256::digest(key.as_bytes());
    let hex = hash[..16].iter().map(|byte| format!("{byte:02x}"));
    format!("ch_{}", hex.collect::<String>())
}

fn was_done(line: &Value) -> bool {
    line["verdict"] == "done" || line["verdict"].get("from").is_some()
}

/// The payment of an order as staff see it; there is at most one.
pub async fn payment_of(admin: &Client, order: &str) -> Option<Value> {
    let reply = admin.get(format!("/v1/admin/payments?order_id={order}")).await.expect_status(200);
    let items = reply.body["items"].as_array().cloned().unwrap_or_default();
    assert!(items.len() <= 1, "an order has one payment: {reply}");
    items.into_iter().next()
}

/// Takes `amount` of a payment; everything that is left when it is null.
pub async fn capture(admin: &Client, payment: &str, amount: &Value) -> Reply {
    let mut body = json!({});
    if !amount.is_null() {
        body["amount"] = amount.clone();
    }
    let path = format!("/v1/admin/payments/{payment}/captures");
    admin.request(http::Method::POST, path).key(&admin.fresh_key()).json(&body).send().await
}

/// Gives back `amount` of a payment; everything that is left when it is null.
pub async fn refund(admin: &Client, payment: &str, amount: &Value, key: &str) -> Reply {
    let mut body = json!({ "reason": "returned" });
    if !amount.is_null() {
        body["amount"] = amount.clone();
    }
    let path = format!("/v1/admin/payments/{payment}/refunds");
    admin.request(http::Method::POST, path).key(key).json(&body).send().await
}
