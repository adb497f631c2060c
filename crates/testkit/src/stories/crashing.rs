//! The process dies at the worst moments.

use std::path::Path;

use http::Method;
use serde_json::json;

use crate::checkout::{Cart, Order};
use crate::money::{payment_of, provider_ledger};
use crate::people::email;
use crate::shelf::{reservation_of, stock_article, until_level};
use crate::{Client, Shop, crash_points, until};

/// A checkout passes the executor's points several times; each pass is another moment.
const PASSES: u32 = 4;

/// For every crash point in the sources: a checkout runs into it, the shop starts again, and the
/// order ends: confirmed with one charge, or not at all with none.
pub async fn killed_between_any_two_steps_the_order_ends(shop: &Shop) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut died = 0;
    for point in crash_points::named_in(&workspace) {
        let passes = if point.starts_with("executor.") { PASSES } else { 1 };
        for pass in 1..=passes {
            let token = token_that_reaches(&point);
            died += u32::from(crash_once(shop, &format!("{point}:{pass}"), token).await);
        }
    }
    assert!(died >= 6, "only {died} of the crash points were ever reached");
}

/// Points of undoing are reached by a checkout that is undone.
fn token_that_reaches(point: &str) -> &'static str {
    let undoing = ["cancel", "void", "release", "reject", "unwind"];
    if undoing.iter().any(|word| point.contains(word)) { "tok_declined" } else { "tok_approved" }
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
    let died = !shop.is_alive();
    shop.restart().await;
    cart.client = shop.client();
    let admin = shop.admin().await;

    let order = until(&format!("{point}: the checkout ends"), async || ended(&mut cart).await).await;
    match &order {
        Some(order) if order.status() == "confirmed" => {
            sold_once(shop, &admin, order, &article.variant, point).await;
        }
        _ => undone(shop, &admin, &article.variant, order.as_ref(), point).await,
    }
    if let Some(reply) = answered {
        let told = (reply.id(), reply.text("/status"));
        let is = admin.get(format!("/v1/admin/orders/{}", told.0)).await.expect_status(200);
        assert_eq!(is.text("/status"), told.1, "{point}: what was answered stays");
    }
    // Asking again with the same key gives one order, the same as before if there was one.
    let again = cart.order(cart.completion(token, &key).send().await).await;
    if let Some(order) = order {
        assert_eq!((again.id(), again.status()), (order.id(), order.status()), "{point}");
    }
    died
}

/// The order when its checkout has ended, nothing when the cart is open, and not yet otherwise.
async fn ended(cart: &mut Cart) -> Option<Option<Order>> {
    let status = cart.refresh().await["status"].as_str()?.to_owned();
    if status == "open" {
        return Some(None);
    }
    let id = cart.view["order_id"].as_str()?.to_owned();
    let path = format!("/v1/orders/{id}");
    let reply = cart.client.request(Method::GET, path).secret(&cart.secret).send().await;
    let order = Order {
        client: cart.client.clone(),
        secret: cart.secret.clone(),
        view: reply.expect_status(200).body,
    };
    (order.status() != "placed").then_some(Some(order))
}

async fn sold_once(shop: &Shop, admin: &Client, order: &Order, variant: &str, point: &str) {
    until_level(admin, variant, 0, 0).await;
    let charges = provider_ledger(shop).get(order.id()).cloned().unwrap_or_default();
    assert_eq!(charges.authorized, 1, "{point}: {charges:?}");
    assert_eq!(charges.live_minor(), order.total_minor(), "{point}: {charges:?}");
    let payment = payment_of(admin, order.id()).await.expect("a confirmed order is paid");
    assert_eq!(payment["status"], "authorized", "{point}: {payment}");
}

async fn undone(shop: &Shop, admin: &Client, variant: &str, order: Option<&Order>, point: &str) {
    until_level(admin, variant, 1, 0).await;
    let Some(order) = order else { return };
    assert_eq!(order.status(), "rejected", "{point}");
    until(&format!("{point}: no money is held for a rejected order"), async || {
        let live = provider_ledger(shop).get(order.id()).map_or(0, |charges| charges.live_minor());
        (live == 0).then_some(())
    })
    .await;
    let reservation = reservation_of(admin, order.id()).await;
    let held = reservation.is_some_and(|reservation| reservation["status"] == "active");
    assert!(!held, "{point}: nothing stays reserved for a rejected order");
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
