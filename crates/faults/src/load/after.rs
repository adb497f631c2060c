//! What becomes of a sale. Of eight sales two are cancelled by their buyers, one is captured and
//! refunded in part by the staff, twice, and of one the buyer sends the key again with another card.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use http::Method;
use serde_json::{Value, json};
use testkit::checkout::Cart;
use testkit::client::{NoAnswer, Reply};
use testkit::journal::Outcome;

use super::buyer::{PATIENCE, PAUSE, Worth, shown};
use super::{Load, Phase, request};

/// What is given back, in minor units: less than anything costs.
const PARTS: [i64; 2] = [100, 150];

/// A sale that somebody was told of.
pub(super) struct Sale<'a> {
    pub cart: &'a Cart,
    pub order: String,
    pub key: &'a str,
    pub token: &'a str,
    /// They ask until they know.
    pub insists: bool,
}

impl Load {
    pub(super) async fn after(&self, sale: &Sale<'_>) {
        match self.sales.fetch_add(1, Ordering::SeqCst) % 8 {
            1 | 5 => self.cancel(sale).await,
            3 => self.refund(sale).await,
            7 => self.send_another_body(sale).await,
            _ => {}
        }
    }

    async fn cancel(&self, sale: &Sale<'_>) {
        let key = sale.cart.client.fresh_key();
        let answer = self.answer("a cancellation", sale.insists, async || {
            let client = self.house.client();
            let path = format!("/v1/orders/{}/cancel", sale.order);
            let asked = client.request(Method::POST, path).secret(sale.cart.secret.as_deref());
            asked.key(&key).json(&json!({})).try_send().await
        });
        let answer = answer.await;
        let is_told = answer.as_ref().is_some_and(|reply| reply.body["status"] == "cancelled");
        match answer {
            Some(_) if is_told => self.tally.cancelled(),
            Some(reply) => self.tally.wrong(format!("a cancellation was refused: {reply}")),
            None => {}
        }
        let mut cancelled = self.cancelled.lock().unwrap_or_else(PoisonError::into_inner);
        cancelled.insert(sale.order.clone(), is_told);
    }

    /// The goods were sent, and some of them came back.
    async fn refund(&self, sale: &Sale<'_>) {
        let path = format!("/v1/admin/payments?order_id={}", sale.order);
        let found = self.staff("a look at a payment", sale, Method::GET, &path, &Value::Null);
        let Some(found) = found.await else { return };
        let Some(payment) = found.body["items"][0]["id"].as_str() else {
            return self.tally.wrong(format!("a confirmed order has no payment: {found}"));
        };
        let path = format!("/v1/admin/payments/{payment}/captures");
        let taken = self.staff("a capture", sale, Method::POST, &path, &json!({})).await;
        // A capture that the provider has not answered for yet cannot be refunded.
        if taken.is_none_or(|reply| reply.body["status"] != "done") {
            return;
        }
        let path = format!("/v1/admin/payments/{payment}/refunds");
        for amount in PARTS {
            let amount = json!({ "amount": amount, "currency": "EUR" });
            let body = json!({ "amount": amount, "reason": "returned" });
            let given = self.staff("a refund", sale, Method::POST, &path, &body).await;
            if given.is_some() {
                self.tally.refunded();
            }
        }
    }

    /// What the shop answers to the staff, when it is no refusal.
    async fn staff(
        &self,
        what: &str,
        sale: &Sale<'_>,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Option<Reply> {
        let key = sale.cart.client.fresh_key();
        let answer = self.answer(what, sale.insists, async || {
            let staff = self.house.admin().await;
            let asked = staff.request(method.clone(), path);
            let asked = if body.is_null() { asked } else { asked.key(&key).json(body) };
            asked.try_send().await
        });
        let reply = answer.await?;
        if !reply.status.is_success() {
            self.tally.wrong(format!("{what} was refused: {reply}"));
            return None;
        }
        Some(reply)
    }

    /// The checker looks whether the shop took it for the same request.
    async fn send_another_body(&self, sale: &Sale<'_>) {
        let other = if sale.token == "tok_declined" { "tok_approved" } else { "tok_declined" };
        let what = "a key that was used, with another card,";
        let answer = self.answer(what, sale.insists, async || {
            let cart = Cart { client: self.house.client(), ..sale.cart.clone() };
            cart.try_complete(other, sale.key).await
        });
        let outcome = answer.await.map_or(Outcome::Unknown, |reply| Outcome::of(Ok(reply)));
        self.tally.sent_again();
        let sent = request(sale.cart.id.clone(), sale.key.to_owned(), other, outcome);
        self.again.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
    }

    /// Who insists asks until there is an answer; others ask once. After the faults the first try
    /// has to do.
    async fn answer(
        &self,
        what: &str,
        insists: bool,
        ask: impl AsyncFn() -> Result<Reply, NoAnswer>,
    ) -> Option<Reply> {
        let mut is_judged = self.phase() == Phase::Healed && !self.is_patient;
        let asking = async {
            loop {
                self.tally.asked();
                let answer = ask().await;
                if Worth::of(&answer) == Worth::Answer {
                    return answer.ok();
                }
                if std::mem::take(&mut is_judged) {
                    let shown = shown(&answer);
                    self.tally.wrong(format!("{what} after the faults: {shown}"));
                }
                if !insists {
                    return None;
                }
                self.env.sleep(PAUSE).await;
            }
        };
        self.env.timeout(PATIENCE, asking).await.flatten()
    }

    /// Whoever was told that an order is cancelled finds it so, and nobody else does.
    pub async fn cancellations(&self) -> Vec<String> {
        let admin = self.house.admin().await;
        let listed = admin.all("/v1/admin/orders?status=cancelled").await;
        let there: BTreeSet<&str> =
            listed.iter().filter_map(|order| order["id"].as_str()).collect();
        let asked = self.cancelled.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = asked.iter().filter(|(order, is_told)| **is_told && !there.contains(&***order));
        let lost =
            lost.map(|(order, _)| format!("{order} is not cancelled, as its buyer was told"));
        let strange = there.iter().filter(|order| !asked.contains_key(**order));
        let strange = strange.map(|order| format!("{order} is cancelled, and nobody asked for it"));
        lost.chain(strange).collect()
    }
}
