//! A hundred equal checkouts at once, under one key, and the shop is killed while they run: one
//! order, one charge, and everybody is told the same.

mod keys;
#[cfg(feature = "servers")]
mod processes;

use std::collections::BTreeSet;

use futures_util::future::join_all;
use testkit::checkout::Cart;
use testkit::client::NoAnswer;
use testkit::money::{payment_of, provider_ledger};
use testkit::shelf::{stock_article, until_level};
use testkit::{Reply, Shop, Start, Topology, until, until_within};

const AT_ONCE: usize = 100;
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);
/// Where the shop dies: each time something else is committed, sent or answered already.
const POINTS: [&str; 8] = [
    "ordering.place.before",
    "ordering.place.after",
    "ordering.reserve.after",
    "payment.intent.after",
    "payment.provider.after",
    "ordering.confirm.before",
    "executor.commit.after:2",
    "ordering.confirm.after",
];

/// What the answer was, apart from its date.
type Told = (u16, Vec<u8>, Option<String>, Option<String>);

fn told(reply: &Reply) -> Told {
    let header = |name: &str| reply.header(name).map(str::to_owned);
    (reply.status.as_u16(), reply.bytes.to_vec(), header("location"), header("etag"))
}

/// One purchase, asked for again and again.
struct Storm {
    cart: Cart,
    key: String,
    article: String,
    told: BTreeSet<Told>,
}

impl Storm {
    async fn over(shop: &Shop) -> Self {
        let article = stock_article(&shop.admin().await, 1_250, 500).await.variant;
        let cart = Cart::open(&shop.client(), &[(&article, 1)]).await;
        let key = cart.client.fresh_key();
        Self { cart, key, article, told: BTreeSet::new() }
    }

    /// All at once. Whoever is told the end of it is noted; others may hear that it is under way,
    /// or nothing. How many got no answer at all.
    async fn strike(&mut self, shop: &Shop) -> usize {
        self.cart.client = shop.client();
        let cart = &self.cart;
        let ask = |_| cart.try_complete("tok_approved", &self.key);
        let replies = join_all((0..AT_ONCE).map(ask)).await;
        let mut silent = 0;
        for reply in replies {
            match reply {
                Ok(reply) if reply.status == 201 => drop(self.told.insert(told(&reply))),
                Ok(reply) if is_under_way(&reply) => {}
                // A shop that dies may still say that something of it is gone.
                Ok(reply) => assert!(reply.status.is_server_error(), "{reply}"),
                Err(NoAnswer(_)) => silent += 1,
            }
        }
        silent
    }

    /// Asked one by one and a hundred times more, it is the same order and the same answer.
    async fn settle(mut self, shop: &Shop, what: &str) {
        self.cart.client = shop.client();
        until_within(PATIENCE, &format!("{what}: the key is answered"), async || {
            let reply = self.cart.try_complete("tok_approved", &self.key).await.ok()?;
            (reply.status == 201).then_some(())
        })
        .await;
        let before = self.told.len();
        let silent = self.strike(shop).await;
        assert_eq!((silent, self.told.len()), (0, 1), "{what}: {before} before: {:?}", self.told);
        let (_, body, ..) = self.told.first().expect("it was told");
        let order: serde_json::Value = serde_json::from_slice(body).expect("it is JSON");
        assert_eq!(order["status"], "confirmed", "{what}: {order}");
        let id = order["id"].as_str().expect("an order has an id");
        let admin = shop.admin().await;
        until_level(&admin, &self.article, 499, 0).await;
        let charges = provider_ledger(shop)[id].clone();
        assert_eq!((charges.authorized, charges.live_minor()), (1, 1_250), "{what}: {charges:?}");
        let payment = payment_of(&admin, id).await.expect("it is paid");
        assert_eq!(payment["status"], "authorized", "{what}: {payment}");
        let orders = admin.all("/v1/admin/orders").await;
        let mine = orders.iter().filter(|order| order["cart_id"] == self.cart.id.as_str());
        let mine: Vec<_> = mine.map(|order| order["status"].clone()).collect();
        assert_eq!(mine, ["confirmed"], "{what}: one cart, one order");
    }
}

fn is_under_way(reply: &Reply) -> bool {
    reply.status == 202
        || (reply.status == 409 && reply.slug().contains("progress") && reply.is_problem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_equal_checkouts_are_one_order_wherever_the_shop_dies() {
    let start = Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded);
    let shop = Shop::start(start).await;
    for point in POINTS {
        let mut storm = Storm::over(&shop).await;
        shop.restart_to_crash_at(point).await;
        let silent = storm.strike(&shop).await;
        let what = format!("the shop dies at {point}; {silent} of {AT_ONCE} were not answered");
        until(&what, async || (!shop.is_alive()).then_some(())).await;
        shop.restart().await;
        storm.settle(&shop, point).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_equal_checkouts_are_one_order_in_good_weather() {
    let start = Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded);
    let shop = Shop::start(start).await;
    let mut storm = Storm::over(&shop).await;
    assert_eq!(storm.strike(&shop).await, 0);
    assert_eq!(storm.told.len(), 1, "somebody is answered, and nobody otherwise");
    storm.settle(&shop, "good weather").await;
}
