//! Somebody who works in the shop: takes money, gives it back, cancels orders, counts goods.

use std::time::Duration;

use serde_json::{Value, json};

use crate::people::{Ask, Person, Reply};

const TRIES: u32 = 120;
const PAUSE: Duration = Duration::from_secs(4);

/// Sends the same, under the same key, until the answer says what became of it, or that it is being
/// done: that answer is kept, and given again.
pub async fn insist(person: &Person, path: &str, body: &Value, key: &str) -> Option<Reply> {
    for _ in 0..TRIES {
        match person.ask(Ask::post(path, body).key(key)).await {
            // The API key's owner is asked for at identity, which may be away.
            Some(reply) if reply.status == 202 => return Some(reply),
            Some(reply) if !reply.is_open() && reply.status != 401 => return Some(reply),
            _ => person.idle(PAUSE).await,
        }
    }
    person.complain(format!("POST {path} has no end"));
    None
}

/// Goods come in.
pub async fn receive(person: &Person, articles: &[String], units: u32) {
    let line = |variant: &String| json!({ "variant_id": variant, "quantity": units });
    let body = json!({ "lines": articles.iter().map(line).collect::<Vec<_>>() });
    let reply = insist(person, "/v1/admin/inventory/receipts", &body, "the-first-goods").await;
    if reply.is_none_or(|reply| reply.status != 201) {
        person.complain("no goods came in".to_owned());
    }
}

/// Looks at payments and orders for a while, and does something about some of them.
pub async fn work(person: Person, rounds: u64) {
    for _ in 0..rounds {
        person.idle(Duration::from_secs(12)).await;
        if let Some(reply) = person.ask(Ask::get("/v1/admin/payments?limit=20")).await {
            let payments = reply.body["items"].as_array().cloned().unwrap_or_default();
            for payment in &payments {
                if person.core.draw(|chance| chance.strikes(3_500)) {
                    handle(&person, payment).await;
                }
            }
        }
    }
}

async fn handle(person: &Person, payment: &Value) {
    let id = payment["id"].as_str().unwrap_or_default();
    let order = payment["order_id"].as_str().unwrap_or_default();
    let is_captured = payment["captured"]["amount"].as_i64().unwrap_or(0) > 0;
    let key = person.env.uuid().to_string();
    match person.core.draw(|chance| chance.below(4)) {
        0 => {
            let body = json!({ "reason": "the buyer called" });
            insist(person, &format!("/v1/admin/orders/{order}/cancel"), &body, &key).await;
        }
        1 if is_captured => {
            let left = payment["refundable"]["amount"].as_i64().unwrap_or(0);
            let part = person.core.draw(|chance| chance.between(1, left.unsigned_abs() + 1));
            let amount = json!({ "amount": part, "currency": "EUR" });
            let body = json!({ "amount": amount, "reason": "returned" });
            insist(person, &format!("/v1/admin/payments/{id}/refunds"), &body, &key).await;
        }
        _ if !is_captured => {
            insist(person, &format!("/v1/admin/payments/{id}/captures"), &json!({}), &key).await;
        }
        _ => {}
    }
}
