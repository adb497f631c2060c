//! What is counted while buyers buy.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Phase;
use super::buyer::Worth;

/// Of how many, how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub good: u64,
    pub all: u64,
}

#[derive(Default)]
struct Counts {
    /// First tries of a checkout while something was broken.
    checkouts: Share,
    carts: Share,
    all: u64,
    slowest: Duration,
    afterwards: Afterwards,
    /// When purchases ended well, by the monotonic clock.
    sold: Vec<Duration>,
    wrong: Vec<String>,
}

/// What became of sales, and what could not be sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Afterwards {
    /// Orders that are cancelled, as the buyer was told.
    pub cancelled: u64,
    /// Parts of payments that were given back.
    pub refunded: u64,
    /// Keys that came again with another body.
    pub sent_again: u64,
    /// Purchases that were refused because nothing was left.
    pub sold_out: u64,
}

impl Afterwards {
    /// Did each of it happen?
    pub fn is_whole(self) -> bool {
        [self.cancelled, self.refunded, self.sent_again, self.sold_out]
            .iter()
            .all(|count| *count > 0)
    }
}

/// Of one row: it is taken at its end.
#[derive(Default)]
pub struct Tally {
    counts: Mutex<Counts>,
    /// Over all rows of a shop.
    sold: AtomicU64,
}

/// What it came to.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    pub checkouts: Share,
    pub carts: Share,
    pub all: u64,
    pub slowest: Duration,
    pub afterwards: Afterwards,
    pub wrong: Vec<String>,
}

/// More of them tell nothing new.
const MOST_WRONG: usize = 50;

impl Share {
    fn count(&mut self, is_good: bool) {
        self.all += 1;
        self.good += u64::from(is_good);
    }

    pub fn percent(self) -> Option<f64> {
        (self.all > 0).then(|| self.good as f64 * 100.0 / self.all as f64)
    }
}

impl Tally {
    pub(super) fn first_try(&self, phase: Phase, worth: Worth, took: Duration) {
        let mut counts = self.counts();
        counts.all += 1;
        counts.slowest = counts.slowest.max(took);
        if phase == Phase::Faults {
            counts.checkouts.count(worth == Worth::Answer);
        }
    }

    pub(super) fn cart(&self, phase: Phase, is_there: bool) {
        let mut counts = self.counts();
        counts.all += 1;
        if phase == Phase::Faults {
            counts.carts.count(is_there);
        }
    }

    pub(super) fn sold(&self, at: Duration) {
        self.counts().sold.push(at);
        self.sold.fetch_add(1, Ordering::SeqCst);
    }

    /// Since there is a shop.
    pub fn sold_in_all(&self) -> u64 {
        self.sold.load(Ordering::SeqCst)
    }

    /// A request that is no purchase.
    pub(super) fn asked(&self) {
        self.counts().all += 1;
    }

    pub(super) fn cancelled(&self) {
        self.counts().afterwards.cancelled += 1;
    }

    pub(super) fn refunded(&self) {
        self.counts().afterwards.refunded += 1;
    }

    pub(super) fn sent_again(&self) {
        self.counts().afterwards.sent_again += 1;
    }

    pub(super) fn sold_out(&self) {
        self.counts().afterwards.sold_out += 1;
    }

    pub fn afterwards(&self) -> Afterwards {
        self.counts().afterwards
    }

    pub(super) fn hung(&self, what: String) {
        self.wrong(what);
    }

    pub(super) fn failed_when_healed(&self, what: String) {
        self.wrong(what);
    }

    pub fn wrong(&self, what: String) {
        let mut counts = self.counts();
        if counts.wrong.len() < MOST_WRONG {
            counts.wrong.push(what);
        }
    }

    /// The first purchase that ended well after this time.
    pub fn sold_after(&self, time: Duration) -> Option<Duration> {
        self.counts().sold.iter().copied().filter(|sold| *sold > time).min()
    }

    /// The longest time without a purchase that ended well, from one time to another.
    pub fn longest_gap(&self, from: Duration, to: Duration) -> Duration {
        let mut last = from;
        let mut gap = Duration::ZERO;
        let mut sold = self.counts().sold.clone();
        sold.sort_unstable();
        for at in sold.into_iter().filter(|at| (from..to).contains(at)).chain([to]) {
            gap = gap.max(at.saturating_sub(last));
            last = at;
        }
        gap
    }

    /// The sum so far; counting begins anew.
    pub fn take(&self) -> Sum {
        let counts = std::mem::take(&mut *self.counts());
        let Counts { checkouts, carts, all, slowest, afterwards, wrong, .. } = counts;
        Sum { checkouts, carts, all, slowest, afterwards, wrong }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
