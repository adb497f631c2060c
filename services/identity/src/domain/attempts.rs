//! Slowing down those who guess a password, without ever locking out its owner.
//!
//! Two bounds: [`Attempts`] of one account from one place, which gets slower with each failure, and
//! the [`Budget`] of one account, which all places share that its owner has not been at. The
//! first is what a guesser meets; the second is for guessers with many places, and so generous that
//! no single place uses it up.

use std::time::Duration;

use kernel::Timestamp;

/// Failures that cost nothing: people mistype.
pub const FREE_FAILURES: u32 = 5;
/// The longest wait between two guesses.
pub const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// Sign-ins of one account that may be checked at the same time. It bounds how many guesses slip
/// in before the first of them is known to have failed.
pub const MAX_IN_FLIGHT: u32 = 8;
/// After this long without a failure everything is forgotten.
const FORGET_AFTER: Duration = Duration::from_hours(1);
/// Failures from all strange places together that cost nothing.
pub const STRANGERS_BURST: u32 = 100;
/// Then one more for each of these. A single place fails at most once in [`LONGEST_WAIT`].
pub const STRANGERS_PAUSE: Duration = Duration::from_secs(36);

/// What is remembered of the attempts on one e-mail address from one place, whether or not it has
/// an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    failures: u32,
    in_flight: u32,
    last_failure: Option<Timestamp>,
}

impl Attempts {
    /// Admits one attempt, or tells how long to wait. A refused attempt prolongs nothing, so the
    /// owner's turn comes however much others knock.
    pub fn begin(&mut self, now: Timestamp) -> Result<(), Duration> {
        if let Some(last) = self.last_failure
            && now.since(last) >= FORGET_AFTER
        {
            self.failures = 0;
            self.last_failure = None;
        }
        let wait = self.wait(now);
        if !wait.is_zero() {
            return Err(wait);
        }
        let room = if self.failures < FREE_FAILURES { MAX_IN_FLIGHT } else { 1 };
        if self.in_flight >= room {
            return Err(Duration::from_secs(1));
        }
        self.in_flight += 1;
        Ok(())
    }

    /// The admitted attempt had the wrong password.
    pub fn failed(&mut self, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.failures = self.failures.saturating_add(1);
        self.last_failure = Some(now);
    }

    /// The admitted attempt had the right password.
    pub fn succeeded(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.failures = 0;
        self.last_failure = None;
    }

    /// The admitted attempt was never checked: it does not count.
    pub fn abandoned(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Nothing is known that would have to be remembered.
    pub fn is_blank(&self) -> bool {
        *self == Self::default()
    }

    fn wait(&self, now: Timestamp) -> Duration {
        let Some(last) = self.last_failure else {
            return Duration::ZERO;
        };
        if self.failures < FREE_FAILURES {
            return Duration::ZERO;
        }
        let doublings = (self.failures - FREE_FAILURES).min(16);
        let delay = Duration::from_secs(1 << doublings).min(LONGEST_WAIT);
        delay.saturating_sub(now.since(last))
    }
}

/// How many failures all strange places together have left with one account: a bucket that holds
/// [`STRANGERS_BURST`] and fills by one each [`STRANGERS_PAUSE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// When the bucket is full again.
    full_at: Option<Timestamp>,
    in_flight: u32,
}

impl Budget {
    /// Admits one attempt, or tells how long to wait.
    pub fn begin(&mut self, now: Timestamp) -> Result<(), Duration> {
        let spent = self.spent(now);
        let used = spent.as_micros().div_ceil(STRANGERS_PAUSE.as_micros());
        if used + u128::from(self.in_flight) >= u128::from(STRANGERS_BURST) {
            let room = STRANGERS_PAUSE * (STRANGERS_BURST - 1);
            return Err(spent.saturating_sub(room).max(Duration::from_secs(1)));
        }
        self.in_flight += 1;
        Ok(())
    }

    /// The admitted attempt had the wrong password.
    pub fn failed(&mut self, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.full_at = Some(self.full_at.unwrap_or(now).max(now).plus(STRANGERS_PAUSE));
    }

    /// The admitted attempt had the right password, or was never checked.
    pub fn spared(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub fn is_blank(&self, now: Timestamp) -> bool {
        self.in_flight == 0 && self.spent(now).is_zero()
    }

    fn spent(&self, now: Timestamp) -> Duration {
        self.full_at.map_or(Duration::ZERO, |full_at| full_at.since(now))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn failed_times(n: u32, now: Timestamp) -> Attempts {
        let mut attempts = Attempts::default();
        for _ in 0..n {
            attempts.in_flight = 1;
            attempts.failed(now);
        }
        attempts
    }

    #[test]
    fn five_mistakes_are_free_and_then_the_wait_doubles() {
        let mut attempts = failed_times(4, at(0));
        assert_eq!(attempts.begin(at(0)), Ok(()));
        attempts.failed(at(0));
        assert_eq!(attempts.begin(at(0)), Err(Duration::from_secs(1)));
        assert_eq!(attempts.begin(at(1)), Ok(()));
        attempts.failed(at(1));
        assert_eq!(attempts.begin(at(2)), Err(Duration::from_secs(1)));
        assert_eq!(attempts.begin(at(3)), Ok(()));
    }

    #[test]
    fn the_right_password_forgets_the_wrong_ones() {
        let mut attempts = failed_times(5, at(0));
        attempts.begin(at(10)).unwrap();
        attempts.succeeded();
        assert_eq!(attempts, Attempts::default());
    }

    #[test]
    fn guesses_at_the_same_time_are_few() {
        let mut attempts = Attempts::default();
        let admitted = (0..10_000).filter(|_| attempts.begin(at(0)).is_ok()).count();
        assert_eq!(admitted, MAX_IN_FLIGHT as usize);
        let mut locked = failed_times(9, at(0));
        let admitted = (0..100).filter(|_| locked.begin(at(60)).is_ok()).count();
        assert_eq!(admitted, 1);
    }

    #[test]
    fn strangers_share_a_budget_that_fills_again() {
        let mut budget = Budget::default();
        for _ in 0..STRANGERS_BURST {
            budget.begin(at(0)).unwrap();
        }
        assert!(budget.begin(at(0)).is_err(), "guesses in flight count");
        for _ in 0..STRANGERS_BURST {
            budget.failed(at(0));
        }
        assert_eq!(budget.begin(at(0)), Err(STRANGERS_PAUSE));
        assert_eq!(budget.begin(at(35)), Err(Duration::from_secs(1)));
        assert_eq!(budget.begin(at(36)), Ok(()));
        budget.spared();
        assert!(!budget.is_blank(at(3_599)));
        assert!(budget.is_blank(at(3_600)));
    }

    #[test]
    fn a_single_place_never_uses_the_budget_up() {
        let (mut attempts, mut budget) = (Attempts::default(), Budget::default());
        // Guesses as fast as it may, for two days.
        for second in 0..2 * 86_400 {
            while attempts.begin(at(second)).is_ok() {
                assert_eq!(budget.begin(at(second)), Ok(()), "after {second} s");
                attempts.failed(at(second));
                budget.failed(at(second));
            }
        }
    }

    proptest! {
        #[test]
        fn no_lock_outlasts_the_longest_wait(failures in 0_u32..1_000_000, start in 0_i64..1_000_000) {
            let mut attempts = Attempts { failures, in_flight: 0, last_failure: Some(at(start)) };
            let later = at(start).plus(LONGEST_WAIT);
            prop_assert_eq!(attempts.begin(later), Ok(()));
        }

        #[test]
        fn the_wait_never_shrinks_with_more_failures(failures in 0_u32..100) {
            let fewer = failed_times(failures, at(0)).wait(at(0));
            let more = failed_times(failures + 1, at(0)).wait(at(0));
            prop_assert!(more >= fewer);
        }
    }
}
