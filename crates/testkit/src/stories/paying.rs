//! Cards that are refused, and providers that misbehave.

use crate::checkout::{Cart, Order};
use crate::money::{payment_of, provider_ledger};
use crate::shelf::{stock_article, until_level};
use crate::{Shop, until};

pub async fn a_declined_card_releases_the_stock(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 2_500, 1).await;
    for (token, code) in
        [("tok_declined", "card_declined"), ("tok_insufficient_funds", "insufficient_funds")]
    {
        let mut cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
        let rejected = cart.order(cart.complete(token).await).await;
        assert_eq!((rejected.status(), rejected.reason()), ("rejected", "payment_declined"));
        assert_eq!(rejected.view["rejection"]["decline_code"], code, "{}", rejected.view);
        assert!(rejected.view["number"].is_null(), "a failed checkout takes no number");
        until_level(&admin, &article.variant, 1, 0).await;
        assert_eq!(provider_ledger(shop).get(rejected.id()), None, "nothing was charged");
        // The cart is open again: the buyer tries another card.
        assert_eq!(cart.refresh().await["status"], "open");
        if code == "insufficient_funds" {
            cart.buy().await;
            until_level(&admin, &article.variant, 0, 0).await;
        }
    }
}

pub async fn a_provider_that_times_out_charges_once(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 4_200, 3).await;
    for (sold, token) in
        ["tok_timeout_after_charge", "tok_timeout_without_charge", "tok_error_after_charge"]
            .into_iter()
            .enumerate()
    {
        let cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
        let order = cart.order(cart.complete(token).await).await;
        assert_eq!(order.status(), "confirmed", "{token}: {}", order.view);
        charged_once(shop, &order);
        let payment = payment_of(&admin, order.id()).await.expect("it is paid");
        assert_eq!(payment["status"], "authorized", "{token}: {payment}");
        until_level(&admin, &article.variant, 2 - sold as i64, 0).await;
    }
}

pub async fn a_provider_that_takes_its_time_confirms_in_the_end(shop: &Shop) {
    let admin = shop.admin().await;
    let article = stock_article(&admin, 100, 1).await;
    let cart = Cart::open(&shop.client(), &[(&article.variant, 1)]).await;
    let order = cart.order(cart.complete("tok_needs_time").await).await;
    assert_eq!(order.status(), "confirmed", "{}", order.view);
    charged_once(shop, &order);
    until("the payment is authorized", async || {
        let payment = payment_of(&admin, order.id()).await?;
        (payment["status"] == "authorized").then_some(())
    })
    .await;
}

fn charged_once(shop: &Shop, order: &Order) {
    let ledger = provider_ledger(shop);
    let charges = ledger.get(order.id()).expect("the provider knows the order");
    assert_eq!(charges.authorized, 1, "{charges:?}");
    assert_eq!(charges.live_minor(), order.total_minor(), "{charges:?}");
}
