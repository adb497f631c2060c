//! The process dies at the worst moments.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::checkout::Cart;
use crate::crash_points::{self, Way};
use crate::money::{payment_of, provider_ledger};
use crate::people::{email, unique};
use crate::shelf::{reservation_of, stock_article, until_level};
use crate::stories::importing::{UPLOAD, file, product, variant};
use crate::{Client, Shop, until, until_within};

/// A checkout passes these several times; each pass is another moment.
const PASSED_OFTEN: [(&str, u32); 2] = [("executor.", 4), ("rpc.", 2)];
/// What follows an answer follows by itself, a moment later.
const SOON: Duration = Duration::from_secs(10);

/// What the deaths of a shop came to.
#[derive(Clone, Debug, Default)]
pub struct Deaths {
    /// Points, and later passes of them, at which a shop was told to die.
    pub moments: usize,
    /// Those that it did not come by.
    pub missed: Vec<String>,
}

impl Deaths {
    pub(super) fn count(&mut self, moment: &str, died: bool) {
        self.moments += 1;
        if !died {
            self.missed.push(moment.to_owned());
        }
    }

    pub(super) fn tell(&self, shop: &Shop, of: &str) {
        let died = self.moments - self.missed.len();
        let (all, topology) = (self.moments, shop.topology());
        eprintln!("{topology:?}: killed at {died} of {all} moments of {of}: {:?}", self.missed);
    }
}

/// For every crash point in the sources that a checkout passes: one runs into it, the shop starts
/// again, and the order ends: confirmed with one charge, or not at all with none.
pub async fn killed_between_any_two_steps_the_order_ends(shop: &Shop) -> Deaths {
    let mut deaths = Deaths::default();
    for (way, token) in [(Way::Paid, "tok_approved"), (Way::Declined, "tok_declined")] {
        for point in crash_points::passed(shop.topology(), way) {
            let first = crash_once(shop, &point, token).await;
            assert!(first, "{point} was not passed");
            deaths.count(&point, first);
            let often = PASSED_OFTEN.iter().find(|(area, _)| point.starts_with(area));
            for pass in 2..=often.map_or(1, |(_, passes)| *passes) {
                let moment = format!("{point}:{pass}");
                deaths.count(&moment, crash_once(shop, &moment, token).await);
            }
        }
    }
    for point in crash_points::elsewhere(shop.topology()) {
        let died = crash_once(shop, &point, "tok_approved").await;
        assert!(died, "{point} was not passed");
        deaths.count(&point, died);
    }
    deaths.tell(shop, "a checkout");
    deaths
}

/// The same for cancelling: the order stays confirmed, or is cancelled with all that belongs to it.
pub async fn killed_while_cancelling_the_order_is_cancelled_whole(shop: &Shop) -> Deaths {
    let mut deaths = Deaths::default();
    let own = crash_points::passed(shop.topology(), Way::Cancelled);
    let of_all = crash_points::passed(shop.topology(), Way::Paid);
    let areas = ["executor.", "relay.", "intake."];
    let of_all = of_all.into_iter().filter(|at| areas.iter().any(|area| at.starts_with(area)));
    let points: Vec<String> = own.into_iter().chain(of_all).collect();
    for point in &points {
        let died = crash_cancelling(shop, point).await;
        assert!(died, "{point} was not passed");
        deaths.count(point, died);
    }
    deaths.tell(shop, "a cancellation");
    deaths
}

/// The same for stock figures in a file: sent again, they are what was told.
pub async fn killed_while_importing_the_file_can_be_sent_again(shop: &Shop) -> Deaths {
    let mut deaths = Deaths::default();
    for point in crash_points::passed(shop.topology(), Way::Imported) {
        let word = unique("wreck");
        let text = file(&word);
        shop.restart_to_crash_at(&point).await;
        let upload = async |admin: Client| {
            let path = format!("{UPLOAD}?currency=EUR");
            admin.request(Method::POST, path).bytes("text/csv", text.clone()).try_send().await
        };
        // The owner's key was made before; a dying shop need not answer.
        let _ = upload(shop.admin().await).await;
        assert!(dies(shop).await, "{point} was not passed");
        deaths.count(&point, true);
        shop.restart().await;
        let admin = shop.admin().await;
        let report = upload(admin.clone()).await.expect("it lives").expect_status(200).body;
        assert_eq!(report["products"]["failed"], 0, "{point}: {report}");
        let mug = product(&admin, &format!("{word}-mug")).await.expect("it was imported");
        until_level(&admin, &variant(&mug, &format!("{word}-ML")), 2, 0).await;
    }
    deaths.tell(shop, "an import");
    deaths
}

async fn dies(shop: &Shop) -> bool {
    let longer = SOON + Duration::from_secs(1);
    let dying = until_within(longer, "it dies", async || (!shop.is_alive()).then_some(()));
    platform::Env::system().timeout(SOON, dying).await.is_some() || !shop.is_alive()
}

async fn crash_cancelling(shop: &Shop, point: &str) -> bool {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 1_700, 1).await;
    let mut order = Cart::open(&shop.client(), &[(&article.variant, 1)]).await.buy().await;
    until_level(&admin, &article.variant, 0, 0).await;
    let key = order.client.fresh_key();

    shop.restart_to_crash_at(point).await;
    order.client = shop.client();
    // Whether this is answered depends on where the shop dies.
    let _ = order.ask(Method::POST, "/cancel").key(&key).try_send().await;
    let died = dies(shop).await;
    shop.restart().await;
    order.client = shop.client();
    let admin = shop.admin().await;

    let again = order.ask(Method::POST, "/cancel").key(&key).send().await.expect_status(200);
    assert_eq!(again.body["status"], "cancelled", "{point}: {again}");
    until_level(&admin, &article.variant, 1, 0).await;
    until(&format!("{point}: the buyer has the money back"), async || {
        let charges = provider_ledger(shop)[order.id()].clone();
        (charges.authorized == 1 && charges.live_minor() == 0).then_some(())
    })
    .await;
    assert_eq!(order.refresh().await["status"], "cancelled", "{point}");
    died
}

/// Whether the shop died on the way.
async fn crash_once(shop: &Shop, point: &str, token: &str) -> bool {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 1_500, 1).await;
    let mut cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
    let key = cart.client.fresh_key();

    shop.restart_to_crash_at(point).await;
    cart.client = shop.client();
    // It may be dead already, or die on the way, or live: all of it is fine.
    let answered = cart.try_complete(token, &key).await.ok().filter(|reply| reply.status == 201);
    let died = dies(shop).await;
    shop.restart().await;
    cart.client = shop.client();
    let admin = shop.admin().await;

    let orders = ended(&admin, &cart, point).await;
    let confirmed: Vec<_> = orders.iter().filter(|order| order["status"] == "confirmed").collect();
    assert!(confirmed.len() <= 1, "{point}: one cart makes one order: {orders:?}");
    let left = 1 - confirmed.len() as i64;
    until_level(&admin, &article.variant, left, 0).await;
    for order in &orders {
        paid_once_or_not_at_all(shop, &admin, order, point).await;
    }
    if let Some(reply) = answered {
        let told = orders.iter().find(|order| order["id"] == reply.id().as_str());
        let told = told.unwrap_or_else(|| panic!("{point}: gone: {reply}"));
        assert_eq!(told["status"], reply.body["status"], "{point}: what was answered stays");
    }
    // Asking again with the same key gives the same order, or the first one if there was none.
    let again = cart.order(cart.completion(token, &key).send().await).await;
    let same = orders.iter().any(|order| order["id"] == again.id());
    assert!(same || orders.is_empty(), "{point}: a second order: {}", again.view);
    died
}

/// The orders of a cart, once none of them is under way and the cart is open or sold.
async fn ended(admin: &Client, cart: &Cart, point: &str) -> Vec<Value> {
    until(&format!("{point}: the checkout ends"), async || {
        let orders = admin.all("/v1/admin/orders").await;
        let mine = orders.into_iter().filter(|order| order["cart_id"] == cart.id.as_str());
        let mine: Vec<Value> = mine.collect();
        let status = |wanted: &str| mine.iter().any(|order| order["status"] == wanted);
        let view = cart.ask(Method::GET, "").send().await.expect_status(200).body;
        let settled = if status("confirmed") { "ordered" } else { "open" };
        (!status("placed") && view["status"] == settled).then_some(mine)
    })
    .await
}

async fn paid_once_or_not_at_all(shop: &Shop, admin: &Client, order: &Value, point: &str) {
    let id = order["id"].as_str().expect("an order has an id");
    let total = order["totals"]["total"]["amount"].as_i64().expect("an order has a total");
    let confirmed = order["status"] == "confirmed";
    let due = if confirmed { total } else { 0 };
    let what = format!("{point}: the provider holds {due} for {order}");
    let charges = until(&what, async || {
        let charges = provider_ledger(shop).get(id).cloned().unwrap_or_default();
        (charges.live_minor() == due).then_some(charges)
    })
    .await;
    assert!(charges.authorized <= 1, "{point}: {charges:?}");
    if confirmed {
        let payment = payment_of(admin, id).await.expect("a confirmed order is paid");
        assert_eq!(payment["status"], "authorized", "{point}: {payment}");
    } else {
        let reservation = reservation_of(admin, id).await;
        let held = reservation.is_some_and(|reservation| reservation["status"] == "active");
        assert!(!held, "{point}: nothing stays reserved for {order}");
    }
}

pub async fn what_was_answered_outlives_a_kill(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 2_000, 5).await;
    let who = json!({ "email": email("durable") });
    let cart = Cart::open_with(&shop.client(), &[(&article.variant, 2)], who).await;
    let order = cart.buy().await;
    let key = cart.client.fresh_key();
    let open = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
    shop.restart().await;

    let admin = shop.admin().await;
    let path = format!("/v1/admin/orders/{}", order.id());
    let seen = admin.get(&path).await.expect_status(200);
    assert_eq!(seen.body["number"], order.view["number"]);
    assert_eq!(seen.body["totals"], order.view["totals"]);
    until_level(&admin, &article.variant, 3, 0).await;
    let open = Cart { client: shop.client(), ..open };
    let second = open.completion("tok_approved", &key).send().await;
    let second = open.order(second).await;
    assert_eq!(second.status(), "confirmed");
    assert_ne!(second.view["number"], order.view["number"]);
}
