//! Buyers, what they buy, and what they remember.
//!
//! Each buyer begins a purchase at fixed times and not when the last one is answered quickly, so
//! that refusals, which are quick, do not count for more than answers. [`buyer`] is one purchase;
//! [`tally`] counts.

mod buyer;
mod tally;

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use checker::journal::{self, Request};
use futures_util::future::join_all;
use platform::Env;
use testkit::journal::{Journal, Outcome};
use testkit::shelf::{Article, stock_article};
use testkit::until_within;

pub use tally::{Share, Tally};

use crate::house::House;

/// Plenty, plenty, and soon sold out.
const HOT: [u32; 3] = [9_999, 9_990, 60];
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

/// A shop under load.
pub struct Load {
    pub env: Env,
    pub house: House,
    pub journal: Journal,
    pub tally: Tally,
    pub tokens: Tokens,
    hot: Vec<Article>,
    cold: Vec<Article>,
    phase: AtomicU8,
    is_over: AtomicBool,
    /// A late answer in the healed phase is forgiven: the machine is busy.
    is_patient: bool,
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
        Self {
            env: env.clone(),
            house,
            journal: Journal::default(),
            tally: Tally::default(),
            tokens: USUAL,
            hot,
            cold: articles,
            phase: AtomicU8::new(Phase::Calm as u8),
            is_over: AtomicBool::new(false),
            is_patient,
        }
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

    /// Waits for `more` purchases that begin from now on and end well.
    pub async fn purchases_go_on(&self, more: usize, since: &str) {
        let enough = self.tally.sold_in_all() + more as u64;
        until_within(Duration::from_mins(2), &format!("buyers buy since {since}"), async || {
            (self.tally.sold_in_all() >= enough).then_some(())
        })
        .await;
    }

    /// What the buyers remember, as the checker takes it.
    pub fn remembered(&self) -> checker::Journal {
        let requests = self.journal.entries().into_iter().map(|entry| Request {
            cart: entry.cart,
            key: entry.key,
            // A key is sent with one body only.
            body_hash: String::new(),
            outcome: match entry.outcome {
                Outcome::Ok(told) => journal::Outcome::Ok(told),
                Outcome::Fail(_) => journal::Outcome::Fail,
                Outcome::Unknown => journal::Outcome::Unknown,
            },
        });
        checker::Journal { requests: requests.collect(), is_all: true }
    }
}
