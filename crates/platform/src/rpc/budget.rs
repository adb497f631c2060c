//! How many calls may be repeated: at most one in ten, and a few at once. When everything fails,
//! repeating everything would only double the load (a retry storm).

use std::sync::atomic::{AtomicU32, Ordering};

/// What a call puts in, in tenths of a retry.
const PER_CALL: u32 = 1;
const PER_RETRY: u32 = 10;
/// The most that is saved up, and what there is at the start: ten retries.
const MOST: u32 = 100;

/// A token bucket that calls fill and retries empty; time plays no part.
pub(super) struct Budget(AtomicU32);

impl Budget {
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(MOST))
    }

    pub(super) fn call(&self) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tenths| {
            Some((tenths + PER_CALL).min(MOST))
        });
    }

    /// Takes one retry out; false when there is none.
    pub(super) fn retry(&self) -> bool {
        let take = |tenths: u32| tenths.checked_sub(PER_RETRY);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_storm_is_a_tenth_and_ten_at_most(
            steps in proptest::collection::vec((1_u32..50, 0_u32..200), 1..100)
        ) {
            let budget = Budget::new();
            let (mut calls, mut retries) = (0, 0);
            for (more, wanted) in steps {
                for _ in 0..more {
                    budget.call();
                }
                calls += more;
                retries += (0..wanted).filter(|_| budget.retry()).count() as u32;
                prop_assert!(retries <= calls / 10 + 10, "{retries} retries of {calls} calls");
            }
        }

        #[test]
        fn one_failure_in_eleven_calls_is_always_repeated(calls in 1_u32..2_000) {
            let budget = Budget::new();
            for call in 0..calls {
                budget.call();
                if call % 11 == 10 {
                    prop_assert!(budget.retry());
                }
            }
        }
    }
}
