//! A short life of a shop, with a journal: each part of it is what one mistake or another shows in.
//! Nothing here expects the shop to behave.

use std::time::Duration;

use checker::journal::{Journal, Outcome, Request, Use};
use http::{Method, StatusCode};
use platform::Env;
use serde_json::{Value, json};
use testkit::checkout::Cart;
use testkit::money::{capture, payment_of, refund};
use testkit::people::Customer;
use testkit::shelf::{Article, reservation_of, stock_article};
use testkit::{Client, Shop};

/// Past this long a revoked session is served no more.
const REVOKED: Duration = Duration::from_secs(7);

#[derive(Default)]
pub struct Lived {
    pub journal: Journal,
    pub uses: Vec<Use>,
}

impl Lived {
    /// Buys, sells out, declines, cancels, refunds, asks again and signs out.
    pub async fn of(shop: &Shop) -> Self {
        let mut lived = Self::default();
        lived.journal.is_all = true;
        let admin = shop.admin().await;
        let article = stock_article(&admin, 10_000, 9).await;
        lived.sells_out(shop, &admin).await;
        let _ = lived.buys(&Cart::open(&shop.client(), &[(&article.variant, 2)]).await).await;
        let declined = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
        let _ = lived.pays(&declined, "tok_declined", &declined.client.fresh_key()).await;
        lived.cancels(shop, &admin, &article).await;
        lived.refunds(shop, &admin, &article).await;
        lived.sends_another_body(shop, &article).await;
        lived.signs_out(shop).await;
        lived
    }

    /// A checkout whose process dies between two steps, and whose buyer does not come back.
    pub async fn dies(&mut self, shop: &Shop) {
        let admin = shop.admin().await;
        let article = stock_article(&admin, 700, 3).await;
        let mut cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
        shop.restart_to_crash_at("ordering.reserve.after").await;
        cart.client = shop.client();
        let _ = self.buys(&cart).await;
        shop.restart().await;
    }

    async fn buys(&mut self, cart: &Cart) -> Option<Value> {
        self.pays(cart, "tok_approved", &cart.client.fresh_key()).await
    }

    /// The order, when there was an answer with one.
    async fn pays(&mut self, cart: &Cart, token: &str, key: &str) -> Option<Value> {
        let outcome = match cart.try_complete(token, key).await {
            Ok(reply) if reply.status == StatusCode::CREATED => Outcome::Ok(reply.body),
            Ok(reply) if reply.status.is_client_error() => Outcome::Fail,
            _ => Outcome::Unknown,
        };
        let order = match &outcome {
            Outcome::Ok(order) => Some(order.clone()),
            _ => None,
        };
        self.journal.requests.push(Request {
            cart: cart.id.clone(),
            key: key.to_owned(),
            body_hash: token.to_owned(),
            outcome,
        });
        order
    }

    async fn sells_out(&mut self, shop: &Shop, admin: &Client) {
        let last = stock_article(admin, 500, 1).await;
        for _ in 0..2 {
            let _ = self.buys(&Cart::open(&shop.client(), &[(&last.variant, 1)]).await).await;
        }
    }

    /// After the goods have left the shelf.
    async fn cancels(&mut self, shop: &Shop, admin: &Client, article: &Article) {
        let cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
        let Some(order) = self.buys(&cart).await else { return };
        let id = order["id"].as_str().unwrap_or_default();
        let committed = async {
            let status = |held: Option<Value>| held.map(|held| held["status"].clone());
            while status(reservation_of(admin, id).await) != Some(json!("committed")) {
                Env::system().sleep(Duration::from_millis(20)).await;
            }
        };
        // A shop that makes mistakes may never come to this.
        let _ = Env::system().timeout(Duration::from_secs(3), committed).await;
        let path = format!("/v1/orders/{id}/cancel");
        let request = cart.client.request(Method::POST, path).secret(cart.secret.as_deref());
        let _ = request.key(&cart.client.fresh_key()).json(&json!({})).try_send().await;
    }

    /// Twice a part, each under its own key.
    async fn refunds(&mut self, shop: &Shop, admin: &Client, article: &Article) {
        let cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
        let Some(order) = self.buys(&cart).await else { return };
        let id = order["id"].as_str().unwrap_or_default();
        let Some(payment) = payment_of(admin, id).await else { return };
        let payment = payment["id"].as_str().unwrap_or_default();
        let euros = |minor: i64| json!({ "amount": minor, "currency": "EUR" });
        let _ = capture(admin, payment, &euros(4_000)).await;
        for part in [500, 700] {
            let _ = refund(admin, payment, &euros(part), &admin.fresh_key()).await;
        }
    }

    /// The same key, and another card in the body.
    async fn sends_another_body(&mut self, shop: &Shop, article: &Article) {
        let cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
        let key = cart.client.fresh_key();
        for token in ["tok_approved", "tok_declined"] {
            let _ = self.pays(&cart, token, &key).await;
        }
    }

    /// Goes on asking as the one who signed out, until that is refused or long over.
    async fn signs_out(&mut self, shop: &Shop) {
        let env = Env::system();
        let buyer = Customer::register(&shop.client()).await;
        let sessions = buyer.client.get("/v1/me/sessions").await.expect_status(200);
        let session = sessions.text("/items/0/id");
        let last = json!({ "refresh_token": buyer.refresh_token });
        shop.client().post("/v1/auth/logout", &last).await.expect_status(204);
        let over = env.now().plus(REVOKED);
        let mut was_served = true;
        while was_served && env.now() < over {
            let at = env.now();
            was_served = buyer.client.get("/v1/me").await.status.is_success();
            self.uses.push(Use { session: session.clone(), at, was_served });
            env.sleep(Duration::from_millis(50)).await;
        }
    }
}
