//! A checkout that goes back while money may be held, killed where only such a one comes.

use http::Method;

use super::crashing::Deaths;
use crate::checkout::Cart;
use crate::crash_points::{self, Way};
use crate::money::provider_ledger;
use crate::shelf::{stock_article, until_level};
use crate::shop::Start;
use crate::{Shop, until};

/// A shop whose checkouts go back a second after they began, while the provider has not decided yet.
pub fn in_a_hurry(start: Start) -> Start {
    start
        .set("ordering.reservation_s=120")
        .set("ordering.reservation_margin_s=119")
        .set("payment.test_provider.needs_time_ms=2000")
}

/// A declined card, with which other stories go back, has nothing to void. The shop is
/// [`in_a_hurry`].
pub async fn killed_around_a_void_the_order_ends_and_nothing_is_held(shop: &Shop) -> Deaths {
    let mut deaths = Deaths::default();
    for point in crash_points::passed(shop.topology(), Way::Voided) {
        crash(shop, &point).await;
        deaths.count(&point, true);
    }
    deaths.tell(shop, "a void");
    deaths
}

async fn crash(shop: &Shop, point: &str) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 1_500, 1).await;
    let mut cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
    let key = cart.client.fresh_key();
    shop.restart_to_crash_at(point).await;
    cart.client = shop.client();
    let answered = cart.try_complete("tok_needs_time", &key).await;
    // A gateway that lives says that somebody else died.
    let told = answered.ok().filter(|reply| !reply.status.is_server_error());
    assert!(told.is_none(), "{point} was not reached: {told:?}");
    until(&format!("the shop dies at {point}"), async || (!shop.is_alive()).then_some(())).await;
    shop.restart().await;
    cart.client = shop.client();

    let what = format!("{point}: the key is answered with the end of the order");
    let order = until(&what, async || {
        let reply = cart.completion("tok_needs_time", &key).send().await;
        (reply.status == 201).then_some(reply.body)
    })
    .await;
    assert_eq!(order["status"], "rejected", "{point}: {order}");
    let id = order["id"].as_str().expect("an order has an id");
    let charges = provider_ledger(shop)[id].clone();
    assert_eq!((charges.authorized, charges.live_minor()), (1, 0), "{point}: {charges:?}");
    until_level(&shop.admin().await, &article.variant, 1, 0).await;
    let view = cart.ask(Method::GET, "").send().await.expect_status(200).body;
    assert_eq!(view["status"], "open", "{point}: another card may buy it: {view}");
}
