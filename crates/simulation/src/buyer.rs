//! Somebody who buys: as a guest or as a customer, impatiently, with a connection that breaks.

use std::sync::Arc;
use std::time::Duration;

use checker::journal::{Outcome, Use};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::people::{Ask, Person, Reply};

/// How often a request is sent again before somebody is called. When everything is mended, the first
/// try should do.
const TRIES: u32 = 120;
const PAUSE: Duration = Duration::from_secs(4);
/// What is revoked is over after this.
const BELIEVED: Duration = Duration::from_secs(6);
const PASSWORD: &str = "seven quiet herons by the weir";

/// A buyer with a cart.
struct Purchase {
    person: Person,
    cart: String,
    secret: Option<String>,
    key: String,
    body: Value,
    /// In the journal.
    place: usize,
    /// An answer is missing: what was asked for may have been done, or may be yet.
    is_open: bool,
}

pub async fn buy(mut person: Person, articles: Arc<Vec<String>>, number: usize) {
    person.idle(Duration::from_secs(20)).await;
    if person.core.draw(|chance| chance.strikes(3_000)) && !register(&mut person, number).await {
        return;
    }
    let times = person.core.draw(|chance| chance.between(1, 3));
    for _ in 0..times {
        let Some(mut purchase) = fill_a_cart(&mut person, &articles, number).await else { return };
        let order = purchase.complete(number).await;
        // Who had to sign in again goes on as that.
        person.clone_from(&purchase.person);
        let Some(order) = order else { continue };
        if order.text("/status") == "confirmed" && person.core.draw(|chance| chance.strikes(2_500))
        {
            purchase.cancel(&order.text("/id")).await;
        }
        person.idle(Duration::from_secs(8)).await;
    }
    if person.session.is_some() && person.core.draw(|chance| chance.strikes(5_000)) {
        leave(&person).await;
    }
}

async fn register(person: &mut Person, number: usize) -> bool {
    let body = json!({ "email": address(number), "password": PASSWORD });
    for attempt in 0..TRIES {
        let path = if attempt % 2 == 0 { "/v1/auth/register" } else { "/v1/auth/login" };
        // Registering may have been done, though the answer was lost: then signing in works.
        if let Some(reply) = person.ask(Ask::post(path, &body)).await
            && matches!(reply.status, 200 | 201)
        {
            person.hold(&reply);
            return true;
        }
        person.idle(PAUSE).await;
    }
    person.complain(format!("buyer {number} could not sign in"));
    false
}

fn address(number: usize) -> String {
    format!("buyer-{number}@example.com")
}

/// A token may have ended, by a clock that jumped. The session may have, too.
async fn sign_in_again(person: &mut Person, number: usize) {
    let refreshes = person.core.draw(|chance| chance.strikes(5_000));
    let refresh = person.session.as_ref().filter(|_| refreshes);
    let (path, body) = match refresh {
        Some(session) => ("/v1/auth/refresh", json!({ "refresh_token": session.refresh_token })),
        None => ("/v1/auth/login", json!({ "email": address(number), "password": PASSWORD })),
    };
    if let Some(reply) = person.ask(Ask::post(path, &body)).await
        && reply.status == 200
    {
        person.hold(&reply);
    }
}

/// Signs out, and looks whether that is believed everywhere as soon as nothing is in the way.
async fn leave(person: &Person) {
    let Some(session) = &person.session else { return };
    let body = json!({ "refresh_token": session.refresh_token });
    let mut is_out = false;
    for _ in 0..TRIES {
        is_out =
            person.ask(Ask::post("/v1/auth/logout", &body)).await.is_some_and(|r| r.status == 204);
        if is_out {
            break;
        }
        person.idle(PAUSE).await;
    }
    if !is_out {
        person.complain(format!("{} cannot sign out", session.id));
    }
    person.core.sleep(BELIEVED).await;
    while !person.core.is_calm_for(BELIEVED) {
        person.core.sleep(BELIEVED).await;
    }
    let at = crate::env::wall(&person.core);
    let Some(reply) = person.ask(Ask::get("/v1/me")).await else { return };
    let was_served = reply.status < 400;
    person.memory().uses.push(Use { session: session.id.clone(), at, was_served });
    if was_served {
        person.complain(format!("{} was served after it had been ended", session.id));
    }
}

async fn fill_a_cart(person: &mut Person, articles: &[String], number: usize) -> Option<Purchase> {
    let lines = person.core.draw(|chance| {
        let first = chance.below(articles.len() as u64) as usize;
        let count = chance.between(1, 1 + articles.len().min(2) as u64) as usize;
        let line = |at: usize, quantity: u64| {
            json!({ "variant_id": articles[(first + at) % articles.len()], "quantity": quantity })
        };
        (0..count).map(|at| line(at, chance.between(1, 4))).collect::<Vec<_>>()
    });
    let body = json!({ "currency": "EUR", "lines": lines, "email": address(number) });
    for _ in 0..TRIES {
        let reply = person.ask(Ask::post("/v1/carts", &body)).await;
        match reply {
            Some(reply) if reply.status == 201 => return Some(purchase(person, &reply)),
            Some(reply) if reply.status == 401 => sign_in_again(person, number).await,
            // A customer's cart that is open already, by a request whose answer was lost.
            Some(reply) if reply.status == 409 => {
                if let Some(mine) = person.ask(Ask::get("/v1/me/cart")).await
                    && mine.status == 200
                    && mine.body["lines"].as_array().is_some_and(|lines| !lines.is_empty())
                {
                    return Some(purchase(person, &mine));
                }
            }
            _ => {}
        }
        person.idle(PAUSE).await;
    }
    person.complain(format!("buyer {number} could not open a cart"));
    None
}

fn purchase(person: &Person, cart: &Reply) -> Purchase {
    let declines = person.core.draw(|chance| chance.strikes(800));
    let token = if declines { "tok_declined" } else { "tok_approved" };
    let body = json!({ "expected_total": cart.body["totals"]["total"], "payment_token": token });
    let (cart_id, key) = (cart.text("/id"), person.env.uuid().to_string());
    let secret = cart.body["secret"].as_str().map(str::to_owned);
    let place = person.note(&cart_id, &key, &body);
    Purchase { person: person.clone(), cart: cart_id, secret, key, body, place, is_open: false }
}

impl Purchase {
    /// Until it is known what became of it; the order, if there is one.
    async fn complete(&mut self, number: usize) -> Option<Reply> {
        let path = format!("/v1/carts/{}/complete", self.cart);
        for attempt in 0..TRIES {
            if attempt == 0 && self.person.core.strikes(Fault::Impatience) {
                self.meanwhile(&path);
            }
            let reply = self.attempt(&path).await;
            match reply {
                Some(reply) if reply.status == 201 => return Some(self.told(reply)),
                Some(reply) if reply.status == 401 => {
                    sign_in_again(&mut self.person, number).await;
                }
                Some(reply) if !reply.is_open() => {
                    self.refused(&reply);
                    return None;
                }
                _ => self.is_open = true,
            }
            self.person.idle(PAUSE).await;
        }
        self.person.complain(format!("the purchase of {} has no end", self.cart));
        None
    }

    async fn attempt(&self, path: &str) -> Option<Reply> {
        let secret = self.secret.as_deref();
        let ask = Ask::post(path, &self.body).key(&self.key).secret(secret);
        let answer = self.person.ask(ask);
        if self.person.core.strikes(Fault::Disconnect) {
            let patience = self.person.core.draw(|chance| chance.pause(Duration::from_secs(1)));
            return self.person.env.timeout(patience, answer).await.flatten();
        }
        answer.await
    }

    /// The same once more, beside the first.
    fn meanwhile(&mut self, path: &str) {
        self.is_open = true;
        let (person, path, body) = (self.person.clone(), path.to_owned(), self.body.clone());
        let (key, secret) = (self.key.clone(), self.secret.clone());
        self.person.core.spawn(crate::core::WORLD, async move {
            person.idle(Duration::from_millis(20)).await;
            person.ask(Ask::post(&path, &body).key(&key).secret(secret.as_deref())).await;
        });
    }

    fn told(&self, reply: Reply) -> Reply {
        let mut memory = self.person.memory();
        memory.journal.requests[self.place].outcome = Outcome::Ok(reply.body.clone());
        drop(memory);
        if reply.is_replayed {
            platform::sometimes::reached("a repeated request got the kept answer");
        }
        reply
    }

    fn refused(&self, reply: &Reply) {
        if matches!(reply.status, 400 | 403 | 404 | 422) {
            let what = format!("{} was refused with {}: {}", self.cart, reply.status, reply.body);
            self.person.complain(what);
        }
        if !self.is_open {
            self.person.memory().journal.requests[self.place].outcome = Outcome::Fail;
        }
    }

    async fn cancel(&self, order: &str) {
        let (path, key) =
            (format!("/v1/orders/{order}/cancel"), self.person.env.uuid().to_string());
        self.person.idle(Duration::from_secs(5)).await;
        for _ in 0..TRIES {
            let ask = Ask { method: http::Method::POST, ..Ask::get(&path) };
            let ask = ask.key(&key).secret(self.secret.as_deref());
            match self.person.ask(ask).await {
                Some(reply) if !reply.is_open() => return,
                _ => self.person.idle(PAUSE).await,
            }
        }
        self.person.complain(format!("the order {order} could not be cancelled"));
    }
}
