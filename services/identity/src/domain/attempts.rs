//! Slowing down those who guess a password, without ever locking out its owner for good.

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

/// What is remembered of the attempts on one e-mail address, whether or not it has an account.
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
