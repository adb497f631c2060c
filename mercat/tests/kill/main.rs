//! `kill -9` of the whole shop, twenty times, while sixteen buyers buy. Whatever was answered stays;
//! nothing is sold twice, nobody pays twice, every checkout ends.

mod books;
#[cfg(feature = "servers")]
mod processes;

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{join, join_all};
use testkit::checkout::Cart;
use testkit::journal::{Entry, Journal, Outcome};
use testkit::shelf::{Article, stock_article};
use testkit::{Shop, Start, Topology, until};

const BUYERS: usize = 16;
const KILLS: usize = 20;
/// Plenty, plenty, and soon sold out.
const STOCK: [u32; 3] = [9_999, 9_990, 60];

struct Storm {
    shop: Shop,
    journal: Journal,
    articles: Vec<Article>,
    is_over: AtomicBool,
}

impl Storm {
    async fn over(shop: Shop) -> Self {
        let admin = shop.admin().await;
        let mut articles = Vec::new();
        for units in STOCK {
            articles.push(stock_article(&admin, 1_000 + i64::from(units % 7), units).await);
        }
        Self { shop, journal: Journal::default(), articles, is_over: AtomicBool::new(false) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_under_load_lose_nothing_and_sell_nothing_twice() {
    let start = Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded);
    let storm = Storm::over(Shop::start(start).await).await;
    let buyers = join_all((0..BUYERS).map(|number| buyer(&storm, number)));
    join(buyers, killer(&storm)).await;

    let (told, refused, unknown) = storm.journal.counts();
    eprintln!("{KILLS} kills: {told} purchases answered, {refused} refused, {unknown} unknown");
    assert!(told > KILLS, "there was hardly any load: {told}");
    books::check(&storm).await;
}

/// Lets some purchases through, a different number each time, and strikes.
async fn killer(storm: &Storm) {
    for round in 0..KILLS {
        let enough = storm.journal.counts().0 + 3 + (round * 7) % 23;
        until(&format!("buyers buy again after {round} kills"), async || {
            (storm.journal.counts().0 >= enough).then_some(())
        })
        .await;
        storm.shop.restart().await;
    }
    storm.is_over.store(true, Ordering::SeqCst);
}

async fn buyer(storm: &Storm, number: usize) {
    let mut purchase = number;
    while !storm.is_over.load(Ordering::SeqCst) {
        purchase += 1;
        buy(storm, number, purchase).await;
    }
}

async fn buy(storm: &Storm, number: usize, purchase: usize) {
    let article = &storm.articles[purchase % STOCK.len()];
    let units = 1 + (purchase % 3) as u32;
    let lines = [(&*article.variant, units)];
    let mut cart =
        until("a buyer gets a cart", async || Cart::try_open(&storm.shop.client(), &lines).await)
            .await;
    let token = match purchase % 16 {
        3 => "tok_declined",
        7 => "tok_timeout_after_charge",
        11 => "tok_error_after_charge",
        _ => "tok_approved",
    };
    let key = cart.client.fresh_key();
    let mut outcome = Outcome::of(cart.try_complete(token, &key).await);
    // Every other buyer asks again, with the same key, until there is an answer.
    if number.is_multiple_of(2) && matches!(outcome, Outcome::Unknown) {
        outcome = until("a buyer learns what became of the purchase", async || {
            cart.client = storm.shop.client();
            match Outcome::of(cart.try_complete(token, &key).await) {
                Outcome::Unknown => None,
                known => Some(known),
            }
        })
        .await;
    }
    let total_minor = cart.total()["amount"].as_i64().expect("a cart shows its total");
    storm.journal.note(Entry {
        cart: cart.id,
        key,
        variant: article.variant.clone(),
        units,
        total_minor,
        outcome,
    });
}
