//! Buyers, what they buy, and what they remember.
//!
//! Each buyer begins a purchase at fixed times and not when the last one is answered quickly, so
//! that refusals, which are quick, do not count for more than answers. [`buyer`] is one purchase;
//! [`after`] is what becomes of some of them: they are cancelled, refunded, asked for once more;
//! [`leaving`] is somebody who signs out; [`tally`] counts.

mod after;
mod buyer;
mod leaving;
mod tally;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use checker::journal::{self, Request, Use};
use futures_util::future::join_all;
use platform::Env;
use testkit::journal::{Journal, Outcome};
use testkit::shelf::{Article, stock_article};
use testkit::until_within;

pub use tally::{Afterwards, Share, Tally};

use crate::house::House;

/// There is plenty of these.
const HOT: [u32; 2] = [9_999, 9_990];
/// Of a third hot article, anew for each row: it is sold out before the row ends.
const SCARCE: u32 = 12;
const COLD_UNITS: u32 = 5_000;
const COLD_AT_ONCE: usize = 8;

/// What buyers pay with, in turn.
pub type Tokens = &'static [&'static str];

/// Sometimes a card is declined, and sometimes the provider fails after it has charged.
const USUAL: Tokens = &[
    "tok_approved",
    "tok_approved",
    "tok_declined",
    "tok_approved",
    "tok_approved",
    "tok_timeout_after_charge",
    "tok_approved",
    "tok_approved",
    "tok_error_after_charge",
];

/// What is asked of the shop just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nobody judges.
    Calm,
    /// Something is broken on purpose.
    Faults,
    /// Everything must succeed.
    Healed,
}

/// How many purchases came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Confirmed, whatever became of it later.
    pub sold: u64,
    /// For a reason of business: the card, the stock.
    pub refused: u64,
    /// The buyer never heard.
    pub unknown: u64,
}

/// A shop under load.
pub struct Load {
    pub env: Env,
    pub house: House,
    pub journal: Journal,
    pub tally: Tally,
    pub tokens: Tokens,
    hot: Vec<Article>,
    scarce: Mutex<Article>,
    cold: Vec<Article>,
    phase: AtomicU8,
    is_over: AtomicBool,
    /// A late answer in the healed phase is forgiven: the machine is busy.
    is_patient: bool,
    /// Sales that were told of: every so many something becomes of one.
    sales: AtomicU64,
    /// Keys that were sent a second time, with another body.
    again: Mutex<Vec<Request>>,
    /// Orders that somebody wanted to be cancelled, and whether the shop said that they are.
    cancelled: Mutex<BTreeMap<String, bool>>,
    /// What somebody asked for who had signed out.
    uses: Mutex<Vec<Use>>,
}

impl Load {
    /// Fills the shelves of a new shop: 3 hot articles, and so many cold ones.
    pub async fn on(env: &Env, house: House, cold: usize, is_patient: bool) -> Self {
        let admin = house.admin().await;
        let mut hot = Vec::new();
        for units in HOT {
            hot.push(stock_article(&admin, 1_000 + i64::from(units % 7), units).await);
        }
        let mut articles = Vec::new();
        while articles.len() < cold {
            let count = COLD_AT_ONCE.min(cold - articles.len());
            let some = (0..count).map(|nth| stock_article(&admin, 700 + nth as i64, COLD_UNITS));
            articles.extend(join_all(some).await);
        }
        let scarce = stock_article(&admin, 1_003, SCARCE).await;
        Self {
            env: env.clone(),
            house,
            journal: Journal::default(),
            tally: Tally::default(),
            tokens: USUAL,
            hot,
            scarce: Mutex::new(scarce),
            cold: articles,
            phase: AtomicU8::new(Phase::Calm as u8),
            is_over: AtomicBool::new(false),
            is_patient,
            sales: AtomicU64::new(0),
            again: Mutex::default(),
            cancelled: Mutex::default(),
            uses: Mutex::default(),
        }
    }

    /// For a row that begins: counts from zero, and something that can be sold out.
    pub async fn begin(&self) {
        self.tally.take();
        let fresh = stock_article(&self.house.admin().await, 1_003, SCARCE).await;
        *self.scarce.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::SeqCst) {
            0 => Phase::Calm,
            1 => Phase::Faults,
            _ => Phase::Healed,
        }
    }

    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
    }

    /// So many buyers, each beginning a purchase every `pace`, until [`Load::end`].
    pub async fn run(&self, buyers: usize, pace: Duration) {
        self.is_over.store(false, Ordering::SeqCst);
        join_all((0..buyers).map(|number| self.buyer(number, pace))).await;
    }

    pub fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    async fn buyer(&self, number: usize, pace: Duration) {
        let mut purchase = number;
        while !self.is_over() {
            let begun = self.env.clock.monotonic();
            purchase += 1;
            self.buy(number, purchase).await;
            let took = self.env.clock.monotonic().saturating_sub(begun);
            self.env.sleep(pace.saturating_sub(took)).await;
        }
    }

    /// One of the cold articles.
    pub fn cold(&self, nth: usize) -> &Article {
        &self.cold[nth % self.cold.len()]
    }

    /// Half of all purchases are of the three hot articles.
    fn article(&self, purchase: usize) -> Article {
        let nth = purchase / 2;
        if !purchase.is_multiple_of(2) {
            return self.cold(nth).clone();
        }
        let scarce = || self.scarce.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.hot.get(nth % (HOT.len() + 1)).cloned().unwrap_or_else(scarce)
    }

    /// Waits for `more` purchases that begin from now on and end well.
    pub async fn purchases_go_on(&self, more: usize, since: &str) {
        let enough = self.tally.sold_in_all() + more as u64;
        until_within(Duration::from_mins(2), &format!("buyers buy since {since}"), async || {
            (self.tally.sold_in_all() >= enough).then_some(())
        })
        .await;
    }

    /// Since there is a shop.
    pub fn ends(&self) -> Ends {
        let mut ends = Ends::default();
        for entry in self.journal.entries() {
            match &entry.outcome {
                Outcome::Ok(told) if told["status"] == "confirmed" => ends.sold += 1,
                Outcome::Ok(_) | Outcome::Fail(_) => ends.refused += 1,
                Outcome::Unknown => ends.unknown += 1,
            }
        }
        ends
    }

    /// What the buyers remember, as the checker takes it.
    pub fn remembered(&self) -> checker::Journal {
        let entries = self.journal.entries().into_iter();
        let firsts = entries.map(|entry| request(entry.cart, entry.key, "", entry.outcome));
        let mut requests: Vec<Request> = firsts.collect();
        requests.extend_from_slice(&self.again.lock().unwrap_or_else(PoisonError::into_inner));
        checker::Journal { requests, is_all: true }
    }
}

fn request(cart: String, key: String, body: &str, outcome: Outcome) -> Request {
    let outcome = match outcome {
        Outcome::Ok(told) => journal::Outcome::Ok(told),
        Outcome::Fail(_) => journal::Outcome::Fail,
        Outcome::Unknown => journal::Outcome::Unknown,
    };
    Request { cart, key, body_hash: body.to_owned(), outcome }
}
