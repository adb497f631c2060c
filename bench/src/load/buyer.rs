//! One buyer: fills a cart, buys it, looks at what the order says, begins again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use serde::Deserialize;

use super::Stage;
use super::shelf::{Item, SHIPPING_MINOR};
use crate::cli::Flow;
use crate::client::{Connection, NoAnswer, Reply};
use crate::clock;
use crate::measure::histogram::Histogram;
use crate::rng::Rng;

/// Whoever got an error waits so long, so that a shop that is down is not asked a million times.
const AFTER_ERROR: Duration = Duration::from_millis(20);
const ADDRESS: &str = r#""shipping_address":{"name":"Ada Lovelace","line1":"Weir Lane 7","city":"Odderby","postal_code":"10115","country":"DE"}"#;

/// What all buyers of a load share.
pub struct Plan {
    pub flow: Flow,
    pub lines: u32,
    pub hot_percent: u32,
    /// What everybody wants; may be empty.
    pub hot: Vec<Item>,
    pub cold: Vec<Item>,
}

/// An order that the shop said is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bought {
    pub id: String,
    pub number: u64,
    pub total_minor: i64,
}

#[derive(Default)]
pub struct Tally {
    /// From the first request to the confirmed order, of those that ended while measured.
    pub checkouts: Histogram,
    pub completions: Histogram,
    pub counted: u64,
    /// All of them, warm-up included.
    pub bought: Vec<Bought>,
    pub errors: BTreeMap<String, u64>,
    /// Errors while completing: the order may exist all the same.
    pub unknown: u64,
}

impl Tally {
    pub fn merge(&mut self, other: Self) {
        self.checkouts.merge(&other.checkouts);
        self.completions.merge(&other.completions);
        self.counted += other.counted;
        self.bought.extend(other.bought);
        self.unknown += other.unknown;
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
    }
}

pub struct Buyer {
    number: u32,
    plan: Rc<Plan>,
    rng: Rng,
    connection: Connection,
    bought: u64,
    path: String,
    body: String,
    key: String,
}

#[derive(Deserialize)]
struct Opened<'a> {
    id: &'a str,
    secret: &'a str,
    #[serde(borrow)]
    totals: Totals<'a>,
}

#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(borrow)]
    totals: Totals<'a>,
}

#[derive(Deserialize)]
struct Confirmed<'a> {
    id: &'a str,
    status: &'a str,
    number: Option<u64>,
    #[serde(borrow)]
    totals: Totals<'a>,
}

#[derive(Deserialize)]
struct Totals<'a> {
    #[serde(borrow)]
    total: Amount<'a>,
}

#[derive(Deserialize)]
struct Amount<'a> {
    amount: i64,
    currency: &'a str,
}

/// Why a checkout did not end as it should, short enough to be counted by.
struct Failed {
    kind: String,
    unknown: bool,
}

struct Cart {
    id: String,
    secret: String,
    total_minor: i64,
}

impl Buyer {
    pub fn new(number: u32, plan: Rc<Plan>, connection: Connection) -> Self {
        let rng = Rng::new(u64::from(number) << 32);
        let (path, body, key) = Default::default();
        Self { number, plan, rng, connection, bought: 0, path, body, key }
    }

    /// Buys until the load is over.
    pub async fn run(mut self, stage: Stage) -> Tally {
        let mut tally = Tally::default();
        while !stage.is_over() {
            let began = clock::now();
            match self.buy(&stage, &mut tally).await {
                Ok(bought) => {
                    if stage.is_measured() {
                        tally.checkouts.record(began.elapsed());
                        tally.counted += 1;
                    }
                    tally.bought.push(bought);
                }
                Err(failed) => {
                    *tally.errors.entry(failed.kind).or_default() += 1;
                    tally.unknown += u64::from(failed.unknown);
                    clock::sleep(AFTER_ERROR).await;
                }
            }
        }
        tally
    }

    async fn buy(&mut self, stage: &Stage, tally: &mut Tally) -> Result<Bought, Failed> {
        let lines = self.choose();
        let goods: i64 = lines.iter().map(|(item, count)| item.price_minor * count).sum();
        let expected = goods + SHIPPING_MINOR;
        let cart = match self.plan.flow {
            Flow::Full => self.fill_step_by_step(&lines).await?,
            Flow::Short => self.fill_at_once(&lines).await?,
        };
        if cart.total_minor != expected {
            return Err(failed("cart", "shows a wrong total"));
        }
        let began = clock::now();
        let bought = self.complete(&cart).await?;
        if stage.is_measured() {
            tally.completions.record(began.elapsed());
        }
        if bought.total_minor != expected {
            return Err(failed("order", "has a wrong total"));
        }
        Ok(bought)
    }

    /// Different variants, one to three of each.
    fn choose(&mut self) -> Vec<(Item, i64)> {
        let mut lines: Vec<(Item, i64)> = Vec::with_capacity(self.plan.lines as usize);
        let offered = self.plan.hot.len() + self.plan.cold.len();
        while lines.len() < (self.plan.lines as usize).min(offered) {
            let is_hot = self.rng.below(100) < self.plan.hot_percent;
            let from = if (is_hot && !self.plan.hot.is_empty()) || self.plan.cold.is_empty() {
                &self.plan.hot
            } else {
                &self.plan.cold
            };
            let item = self.rng.pick(from);
            // A list that is used up gives way to the other one, sooner or later.
            if lines.iter().all(|(other, _)| other.variant != item.variant) {
                lines.push((item.clone(), i64::from(1 + self.rng.below(3))));
            }
        }
        lines
    }

    async fn fill_step_by_step(&mut self, lines: &[(Item, i64)]) -> Result<Cart, Failed> {
        let body = r#"{"currency":"EUR"}"#;
        let reply = self.connection.ask("POST", "/v1/carts", &[], body).await;
        let reply = good("open", reply, 201)?;
        let opened: Opened<'_> = reply.parse().map_err(|_| failed("open", "unreadable"))?;
        let (id, secret) = (opened.id.to_owned(), opened.secret.to_owned());
        let secrets = [("cart-secret", secret.as_str())];
        self.path.clear();
        let _ = write!(self.path, "/v1/carts/{id}/lines");
        for (item, count) in lines {
            self.body.clear();
            let _ = write!(self.body, r#"{{"variant_id":"{}","quantity":{count}}}"#, item.variant);
            let reply = self.connection.ask("POST", &self.path, &secrets, &self.body).await;
            good("add line", reply, 200)?;
        }
        self.path.truncate(self.path.len() - "/lines".len());
        self.body.clear();
        let (number, bought) = (self.number, self.bought);
        let _ = write!(self.body, r#"{{"email":"buyer-{number}-{bought}@example.com",{ADDRESS}}}"#);
        let reply = self.connection.ask("PATCH", &self.path, &secrets, &self.body).await;
        let reply = good("set address", reply, 200)?;
        let shown: Shown<'_> = reply.parse().map_err(|_| failed("set address", "unreadable"))?;
        let total_minor = shown.totals.total.amount;
        Ok(Cart { id, secret, total_minor })
    }

    async fn fill_at_once(&mut self, lines: &[(Item, i64)]) -> Result<Cart, Failed> {
        self.body.clear();
        let (number, bought) = (self.number, self.bought);
        let _ = write!(
            self.body,
            r#"{{"currency":"EUR","email":"buyer-{number}-{bought}@example.com",{ADDRESS},"lines":["#
        );
        for (index, (item, count)) in lines.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let variant = &item.variant;
            let _ = write!(self.body, r#"{comma}{{"variant_id":"{variant}","quantity":{count}}}"#);
        }
        self.body.push_str("]}");
        let reply = self.connection.ask("POST", "/v1/carts", &[], &self.body).await;
        let reply = good("open", reply, 201)?;
        let opened: Opened<'_> = reply.parse().map_err(|_| failed("open", "unreadable"))?;
        let (id, secret) = (opened.id.to_owned(), opened.secret.to_owned());
        Ok(Cart { id, secret, total_minor: opened.totals.total.amount })
    }

    async fn complete(&mut self, cart: &Cart) -> Result<Bought, Failed> {
        self.bought += 1;
        self.path.clear();
        let _ = write!(self.path, "/v1/carts/{}/complete", cart.id);
        self.body.clear();
        let total = cart.total_minor;
        let _ = write!(
            self.body,
            r#"{{"expected_total":{{"amount":{total},"currency":"EUR"}},"payment_token":"tok_approved"}}"#
        );
        self.key.clear();
        let _ = write!(self.key, "buy-{}-{}", self.number, self.bought);
        let headers = [("cart-secret", cart.secret.as_str()), ("idempotency-key", &self.key)];
        let reply = self.connection.ask("POST", &self.path, &headers, &self.body).await;
        let unknown = !matches!(&reply, Ok(reply) if (400..500).contains(&reply.status));
        let reply = good("complete", reply, 201).map_err(|error| Failed { unknown, ..error })?;
        let order: Confirmed<'_> = reply.parse().map_err(|_| failed("complete", "unreadable"))?;
        if order.status != "confirmed" || order.totals.total.currency != "EUR" {
            return Err(failed("complete", order.status));
        }
        let number = order.number.ok_or_else(|| failed("complete", "without a number"))?;
        Ok(Bought { id: order.id.to_owned(), number, total_minor: order.totals.total.amount })
    }
}

fn failed(step: &str, what: &str) -> Failed {
    Failed { kind: format!("{step}: {what}"), unknown: false }
}

fn good<'a>(
    step: &str,
    reply: Result<Reply<'a>, NoAnswer>,
    status: u16,
) -> Result<Reply<'a>, Failed> {
    match reply {
        Ok(reply) if reply.status == status => Ok(reply),
        Ok(reply) => Err(failed(step, &reply.problem())),
        Err(error) => Err(failed(step, &error.to_string())),
    }
}
