//! Carts and orders as a shop front handles them.

use http::Method;
use serde_json::{Value, json};

use crate::client::{Client, NoAnswer, Reply, Request};
use crate::people::email;
use crate::until;

/// A cart with the secret that its buyer keeps.
#[derive(Clone)]
pub struct Cart {
    pub client: Client,
    pub id: String,
    /// A guest's; customers have none.
    pub secret: Option<String>,
    /// As the shop showed it last.
    pub view: Value,
}

impl Cart {
    /// A cart in euro with these lines and an e-mail address.
    pub async fn open(client: &Client, lines: &[(&str, u32)]) -> Self {
        Self::open_with(client, lines, json!({ "email": email("guest") })).await
    }

    /// A cart in euro with these lines and whatever else is given.
    pub async fn open_with(client: &Client, lines: &[(&str, u32)], with: Value) -> Self {
        let reply = Self::request(client, lines, with).send().await.expect_status(201);
        Self::of(client, reply)
    }

    /// A cart at a shop that may be dying.
    pub async fn try_open(client: &Client, lines: &[(&str, u32)]) -> Option<Self> {
        let with = json!({ "email": email("guest") });
        let reply = Self::request(client, lines, with).try_send().await.ok()?;
        (reply.status == 201).then(|| Self::of(client, reply))
    }

    fn request<'a>(client: &'a Client, lines: &[(&str, u32)], with: Value) -> Request<'a> {
        let line = |(variant, quantity): &(&str, u32)| json!({ "variant_id": variant, "quantity": quantity });
        let mut body = with;
        body["currency"] = json!("EUR");
        body["lines"] = lines.iter().map(line).collect();
        client.request(Method::POST, "/v1/carts").json(&body)
    }

    fn of(client: &Client, reply: Reply) -> Self {
        let (id, secret) = (reply.id(), reply.body["secret"].as_str().map(str::to_owned));
        Self { client: client.clone(), id, secret, view: reply.body }
    }

    pub fn path(&self) -> String {
        format!("/v1/carts/{}", self.id)
    }

    /// A request for this cart by somebody who has its secret.
    pub fn ask(&self, method: Method, below: &str) -> Request<'_> {
        self.client
            .request(method, format!("{}{below}", self.path()))
            .secret(self.secret.as_deref())
    }

    /// Reads it again.
    pub async fn refresh(&mut self) -> &Value {
        self.view = self.ask(Method::GET, "").send().await.expect_status(200).body;
        &self.view
    }

    pub async fn change(&mut self, change: &Value) -> &Value {
        let reply = self.ask(Method::PATCH, "").json(change).send().await;
        self.view = reply.expect_status(200).body;
        &self.view
    }

    /// The total as it was shown, to be sent back when buying.
    pub fn total(&self) -> Value {
        let total = self.view["totals"]["total"].clone();
        assert!(total["amount"].is_i64(), "a cart shows its total: {}", self.view);
        total
    }

    /// The request that buys it.
    pub fn completion(&self, token: &str, key: &str) -> Request<'_> {
        let body = json!({ "expected_total": self.total(), "payment_token": token });
        self.ask(Method::POST, "/complete").key(key).json(&body)
    }

    /// Buys it with a fresh key.
    pub async fn complete(&self, token: &str) -> Reply {
        self.completion(token, &self.client.fresh_key()).send().await
    }

    /// Buys it at a shop that may be dying.
    pub async fn try_complete(&self, token: &str, key: &str) -> Result<Reply, NoAnswer> {
        self.completion(token, key).try_send().await
    }

    /// Buys it, and the order is confirmed, if need be a little later.
    pub async fn buy(&self) -> Order {
        let order = self.order(self.complete("tok_approved").await).await;
        assert_eq!(order.status(), "confirmed", "{}", order.view);
        order
    }

    /// The order that a completion answered with, when its checkout has ended.
    pub async fn order(&self, reply: Reply) -> Order {
        assert!([201, 202].contains(&reply.status.as_u16()), "{reply}");
        let mut order =
            Order { client: self.client.clone(), secret: self.secret.clone(), view: reply.body };
        order.ended().await;
        order
    }

    /// The order that this cart made, if it made one that was not rejected.
    pub async fn made(&mut self) -> Option<Order> {
        let id = self.refresh().await["order_id"].as_str()?.to_owned();
        let reply = self
            .client
            .request(Method::GET, format!("/v1/orders/{id}"))
            .secret(self.secret.as_deref())
            .send()
            .await
            .expect_status(200);
        Some(self.order(Reply { status: http::StatusCode::CREATED, ..reply }).await)
    }
}

/// An order and the secret of its cart.
#[derive(Clone)]
pub struct Order {
    pub client: Client,
    pub secret: Option<String>,
    pub view: Value,
}

impl Order {
    pub fn id(&self) -> &str {
        self.view["id"].as_str().expect("an order has an id")
    }

    pub fn status(&self) -> &str {
        self.view["status"].as_str().expect("an order has a status")
    }

    pub fn total_minor(&self) -> i64 {
        self.view["totals"]["total"]["amount"].as_i64().expect("an order has a total")
    }

    /// Why it was rejected.
    pub fn reason(&self) -> &str {
        self.view["rejection"]["reason"].as_str().unwrap_or_default()
    }

    pub fn ask(&self, method: Method, below: &str) -> Request<'_> {
        self.client
            .request(method, format!("/v1/orders/{}{below}", self.id()))
            .secret(self.secret.as_deref())
    }

    pub async fn refresh(&mut self) -> &Value {
        self.view = self.ask(Method::GET, "").send().await.expect_status(200).body;
        &self.view
    }

    /// Waits for the end of its checkout.
    pub async fn ended(&mut self) {
        let what = format!("the checkout of {} ends", self.id());
        until(&what, async || {
            if self.status() == "placed" {
                self.refresh().await;
            }
            (self.status() != "placed").then_some(())
        })
        .await;
    }
}
