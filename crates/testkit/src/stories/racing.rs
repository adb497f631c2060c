//! Several at once.

use futures_util::future::{join, join_all};

use crate::checkout::Cart;
use crate::money::{Charges, provider_ledger};
use crate::shelf::{stock_article, until_level};
use crate::{Client, Shop};

pub async fn the_last_unit_goes_to_one_of_two_buyers(shop: &Shop) {
    let admin = shop.admin().await;
    for _ in 0..5 {
        let article = stock_article(&admin, 900, 1).await;
        let line = [(&*article.variant, 1)];
        let (mine, yours) = (shop.client(), shop.client());
        let (mine, yours) = join(Cart::open(&mine, &line), Cart::open(&yours, &line)).await;
        let (a, b) = join(mine.complete("tok_approved"), yours.complete("tok_approved")).await;
        let (a, b) = join(mine.order(a), yours.order(b)).await;
        let mut ends = [(a.status(), a.reason()), (b.status(), b.reason())];
        ends.sort_unstable();
        assert_eq!(ends, [("confirmed", ""), ("rejected", "out_of_stock")]);
        until_level(&admin, &article.variant, 0, 0).await;
        let ledger = provider_ledger(shop);
        let charged = [&a, &b].iter().filter(|order| ledger.contains_key(order.id())).count();
        assert_eq!(charged, 1, "who gets nothing pays nothing");
    }
}

pub async fn a_cart_completed_from_two_connections_is_one_order(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 1_100, 10).await;
    let cart = Cart::open(&shop.client(), &[(&article.variant, 2)]).await;
    let elsewhere = Cart { client: shop.client(), ..cart.clone() };
    let (a, b) = join(cart.complete("tok_approved"), elsewhere.complete("tok_approved")).await;
    let (a, b) = join(cart.order(a), elsewhere.order(b)).await;
    assert_eq!(a.id(), b.id(), "one cart makes one order");
    assert_eq!((a.status(), b.status()), ("confirmed", "confirmed"));
    until_level(&admin, &article.variant, 8, 0).await;
    assert_eq!(provider_ledger(shop)[a.id()].authorized, 1);
    // Much later somebody presses the button once more.
    let again = elsewhere.order(elsewhere.complete("tok_approved").await).await;
    assert_eq!(again.id(), a.id());
    until_level(&admin, &article.variant, 8, 0).await;
}

pub async fn many_buyers_never_share_a_unit(shop: &Shop) {
    const BUYERS: usize = 24;
    const UNITS: u32 = 10;
    let admin = shop.admin().await;
    let article = stock_article(&admin, 300, UNITS).await;
    let buyers: Vec<Client> = (0..BUYERS).map(|_| shop.client()).collect();
    let orders = join_all(buyers.iter().map(async |buyer| {
        let cart = Cart::open(buyer, &[(&article.variant, 1)]).await;
        cart.order(cart.complete("tok_approved").await).await
    }));
    let orders = orders.await;
    let confirmed: Vec<_> = orders.iter().filter(|o| o.status() == "confirmed").collect();
    assert_eq!(confirmed.len(), UNITS as usize);
    let mut numbers: Vec<String> = confirmed.iter().map(|o| o.view["number"].to_string()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), UNITS as usize, "every order has a number of its own");
    until_level(&admin, &article.variant, 0, 0).await;
    let ledger = provider_ledger(shop);
    for order in &orders {
        let live = ledger.get(order.id()).map_or(0, Charges::live_minor);
        let due = if order.status() == "confirmed" { 300 } else { 0 };
        assert_eq!(live, due, "{}", order.view);
    }
}
