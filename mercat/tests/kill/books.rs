//! What must hold once the shop is quiet again.

use std::collections::BTreeMap;
use std::time::Duration;

use checker::journal::{self, Request};
use checker::{Look, Report};
use platform::Env;
use serde_json::Value;
use testkit::journal::{Entry, Outcome, check_numbers};
use testkit::money::{payment_of, provider_ledger};
use testkit::shelf::level;
use testkit::{Client, until};

use crate::{STOCK, Storm};

const CONVERGES: Duration = Duration::from_secs(30);

pub async fn check(storm: &Storm) {
    storm.shop.restart().await;
    let admin = storm.shop.admin().await;
    quiet(&admin).await;
    let orders = admin.all("/v1/admin/orders").await;
    let by_id: BTreeMap<&str, &Value> =
        orders.iter().map(|order| (text(order, "id"), order)).collect();
    assert_eq!(by_id.len(), orders.len(), "an order is listed once");
    let confirmed: Vec<Value> =
        orders.iter().filter(|order| order["status"] == "confirmed").cloned().collect();

    let entries = storm.journal.entries();
    for entry in &entries {
        if let Outcome::Ok(told) = &entry.outcome {
            is_as_told(entry, told, by_id.get(text(told, "id")).copied());
        }
    }
    one_order_a_cart(&confirmed, &entries);
    check_numbers(&confirmed);
    stock(storm, &admin, &confirmed).await;
    money(storm, &admin, &orders).await;
    invariants(storm, &entries).await;
    eprintln!("{} orders, {} of them confirmed", orders.len(), confirmed.len());
}

/// No checkout under way, nothing reserved; if that does not come, what is left is told.
async fn quiet(admin: &Client) {
    let left = async || {
        let placed = admin.get("/v1/admin/orders?status=placed").await.expect_status(200);
        let held = admin.get("/v1/admin/inventory/reservations?status=active").await;
        [placed.body, held.expect_status(200).body]
    };
    let none = |reply: &Value| reply["items"].as_array().is_some_and(Vec::is_empty);
    let env = Env::system();
    let begun = env.clock.monotonic();
    let asking = async {
        while !left().await.iter().all(none) {
            env.sleep(Duration::from_millis(20)).await;
        }
    };
    if env.timeout(CONVERGES, asking).await.is_none() {
        let [placed, held] = left().await;
        panic!(
            "after {CONVERGES:?} these orders are open: {placed:#}\nand this is reserved: {held:#}"
        );
    }
    let took = env.clock.monotonic().saturating_sub(begun);
    eprintln!("every checkout ended and nothing was reserved after {took:.1?}");
}

fn is_as_told(entry: &Entry, told: &Value, is: Option<&Value>) {
    let is = is.unwrap_or_else(|| panic!("an acknowledged order is gone: {told}"));
    for part in ["status", "number", "totals"] {
        assert_eq!(is[part], told[part], "{part} of {}", told["id"]);
    }
    assert_eq!(is["totals"]["total"]["amount"], entry.total_minor, "{is}");
    let line = &told["lines"][0];
    assert_eq!(line["variant_id"], entry.variant.as_str(), "{told}");
    assert_eq!(line["quantity"], entry.units, "{told}");
}

fn one_order_a_cart(confirmed: &[Value], entries: &[Entry]) {
    let mut of_cart: BTreeMap<&str, &str> = BTreeMap::new();
    for order in confirmed {
        let cart = text(order, "cart_id");
        let second = of_cart.insert(cart, text(order, "id"));
        assert_eq!(second, None, "the cart {cart} made two orders");
        let entry = entries.iter().find(|entry| entry.cart == cart);
        let entry = entry.unwrap_or_else(|| panic!("nobody asked for {order}"));
        assert!(!matches!(entry.outcome, Outcome::Fail(_)), "refused and sold: {order}");
        assert_eq!(order["lines"][0]["variant_id"], entry.variant.as_str());
        assert_eq!(order["lines"][0]["quantity"], entry.units);
    }
}

async fn stock(storm: &Storm, admin: &Client, confirmed: &[Value]) {
    for (article, received) in storm.articles.iter().zip(STOCK) {
        let lines = confirmed.iter().filter_map(|order| order["lines"].as_array()).flatten();
        let of = lines.filter(|line| line["variant_id"] == article.variant.as_str());
        let sold: i64 = of.filter_map(|line| line["quantity"].as_i64()).sum();
        let left = level(admin, &article.variant).await;
        assert_eq!((left.on_hand + sold, left.reserved), (i64::from(received), 0), "{article:?}");
    }
}

/// One charge an order, none for what was not sold, none that belongs to nothing.
async fn money(storm: &Storm, admin: &Client, orders: &[Value]) {
    let what = "money that is held for rejected orders is given back";
    let ledger = until(what, async || {
        let ledger = provider_ledger(&storm.shop);
        let live = |order: &&Value| {
            ledger.get(text(order, "id")).is_some_and(|charges| charges.live_minor() != 0)
        };
        let held = orders.iter().filter(|order| order["status"] != "confirmed").any(|o| live(&o));
        (!held).then_some(ledger)
    })
    .await;
    for order in orders.iter().filter(|order| order["status"] == "confirmed") {
        let id = text(order, "id");
        let charges = ledger.get(id).unwrap_or_else(|| panic!("nobody paid for {order}"));
        assert_eq!(charges.authorized, 1, "{id} was charged more than once: {charges:?}");
        assert_eq!(Some(charges.live_minor()), order["totals"]["total"]["amount"].as_i64(), "{id}");
        let payment = payment_of(admin, id).await.expect("a confirmed order has a payment");
        assert_eq!(payment["status"], "authorized", "{payment}");
    }
    for id in ledger.keys() {
        assert!(orders.iter().any(|order| order["id"] == id.as_str()), "{id}: charged for nothing");
    }
}

/// What the databases say, together with what the buyers remember.
async fn invariants(storm: &Storm, entries: &[Entry]) {
    let requests = entries.iter().map(|entry| Request {
        cart: entry.cart.clone(),
        key: entry.key.clone(),
        // A key of the storm is sent with one body only.
        body_hash: String::new(),
        outcome: match &entry.outcome {
            Outcome::Ok(told) => journal::Outcome::Ok(told.clone()),
            Outcome::Fail(_) => journal::Outcome::Fail,
            Outcome::Unknown => journal::Outcome::Unknown,
        },
    });
    let journal = checker::Journal { requests: requests.collect(), is_all: true };
    let verify = || std::thread::scope(|scope| scope.spawn(|| verified(storm, &journal)).join());
    let verify = || verify().expect("the checker does not panic");
    // The last events may still be on their way: asked until then, and told in full if not.
    let env = Env::system();
    let (patience, begun) = (Duration::from_secs(90), env.clock.monotonic());
    let asking = async {
        while !verify().holds() {
            env.sleep(Duration::from_millis(50)).await;
        }
    };
    let quiet = env.timeout(patience, asking).await;
    let broken = || -> Vec<_> {
        let findings = verify().findings.into_iter();
        findings.filter(|finding| !finding.violations.is_empty()).collect()
    };
    assert!(quiet.is_some(), "{:#?}", broken());
    let took = env.clock.monotonic().saturating_sub(begun);
    eprintln!("every invariant held {took:.1?} after the books were opened");
}

/// On a thread of its own: it waits for the databases.
fn verified(storm: &Storm, journal: &checker::Journal) -> Report {
    let data = storm.shop.data();
    let provider = data.join("test-provider");
    #[cfg(feature = "servers")]
    let servers = storm.shop.topology().has_processes().then(|| {
        let found = checker::Servers::each(|service| Ok::<_, String>(storm.shop.database(service)));
        found.expect("every service has a database")
    });
    #[cfg(feature = "servers")]
    let look = match &servers {
        Some(servers) => Look::of(servers.place(), &provider),
        None => Look::at(&data, &provider),
    };
    #[cfg(not(feature = "servers"))]
    let look = Look::at(&data, &provider);
    let report = checker::verify(&Look {
        now: Some(Env::system().now()),
        quiet_after: Duration::ZERO,
        journal: Some(journal),
        ..look
    });
    report.expect("the databases can be read")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}
