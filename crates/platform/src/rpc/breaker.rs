//! A peer that fails most calls is left alone for a moment, so that callers learn at once what they
//! would learn late, and the peer can recover.
//!
//! Closed, it counts the calls of the last ten seconds. Half of them failed, of twenty at least: it
//! opens. Open, it refuses for half a second; then it is half open: one call goes through and
//! decides. Each failed try doubles the pause up to two seconds, so a peer that is well again is
//! used at the latest two seconds and one call later.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const SECONDS: usize = 10;
const LEAST_CALLS: u32 = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// An open one that nobody tries for so long is closed.
const FORGOTTEN: Duration = Duration::from_secs(30);

pub(super) struct Breaker(Mutex<Inner>);

struct Inner {
    mode: Mode,
    /// Calls and failures by second, of the last ten.
    window: [Second; SECONDS],
}

#[derive(Clone, Copy, Default)]
struct Second {
    number: u64,
    calls: u32,
    failures: u32,
}

#[derive(Clone, Copy)]
enum Mode {
    Closed,
    Open {
        until: Duration,
        pause: Duration,
    },
    /// One call is on its way to find out.
    HalfOpen {
        pause: Duration,
    },
}

/// Leave to make a call; its outcome is told back with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    Normal,
    /// This call decides.
    Probe,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Inner { mode: Mode::Closed, window: Default::default() }))
    }

    /// `None`: the call is not to be made.
    pub(super) fn admit(&self, now: Duration) -> Option<Leave> {
        let mut inner = self.inner();
        match inner.mode {
            Mode::Closed => Some(Leave::Normal),
            Mode::Open { until, pause } if now >= until => {
                inner.mode = Mode::HalfOpen { pause };
                Some(Leave::Probe)
            }
            Mode::Open { .. } | Mode::HalfOpen { .. } => None,
        }
    }

    /// `is_good`: the peer answered, whatever it said about the business.
    pub(super) fn settle(&self, leave: Leave, now: Duration, is_good: bool) {
        let mut inner = self.inner();
        match (inner.mode, leave) {
            (Mode::Closed, _) => inner.count(now, is_good),
            (Mode::HalfOpen { .. }, Leave::Probe) if is_good => {
                inner.mode = Mode::Closed;
                inner.window = Default::default();
            }
            (Mode::HalfOpen { pause }, Leave::Probe) => {
                let pause = (pause * 2).min(LONGEST_PAUSE);
                inner.mode = Mode::Open { until: now + pause, pause };
            }
            // Begun before it opened: what it tells is known.
            (Mode::Open { .. } | Mode::HalfOpen { .. }, _) => {}
        }
    }

    /// The call was given up by its caller: nothing was learnt.
    pub(super) fn forget(&self, leave: Leave, now: Duration) {
        let mut inner = self.inner();
        if let (Mode::HalfOpen { pause }, Leave::Probe) = (inner.mode, leave) {
            inner.mode = Mode::Open { until: now, pause };
        }
    }

    /// Nobody called for long: what was learnt is old. True when it is closed now.
    pub(super) fn rest(&self, now: Duration) -> bool {
        let mut inner = self.inner();
        if let Mode::Open { until, .. } = inner.mode
            && now >= until + FORGOTTEN
        {
            inner.mode = Mode::Closed;
            inner.window = Default::default();
        }
        matches!(inner.mode, Mode::Closed)
    }

    pub(super) fn is_open(&self) -> bool {
        !matches!(self.inner().mode, Mode::Closed)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn count(&mut self, now: Duration, is_good: bool) {
        let number = now.as_secs();
        let second = &mut self.window[number as usize % SECONDS];
        if second.number != number {
            *second = Second { number, ..Second::default() };
        }
        second.calls += 1;
        second.failures += u32::from(!is_good);
        let oldest = number.saturating_sub(SECONDS as u64 - 1);
        let recent = self.window.iter().filter(|second| second.number >= oldest);
        let (calls, failures) =
            recent.fold((0, 0), |sum, second| (sum.0 + second.calls, sum.1 + second.failures));
        if !is_good && calls >= LEAST_CALLS && failures * 2 >= calls {
            self.mode = Mode::Open { until: now + FIRST_PAUSE, pause: FIRST_PAUSE };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn calls(breaker: &Breaker, now: Duration, count: usize, is_good: bool) -> usize {
        let made = (0..count).filter(|_| {
            let leave = breaker.admit(now);
            leave.inspect(|leave| breaker.settle(*leave, now, is_good)).is_some()
        });
        made.count()
    }

    #[test]
    fn it_opens_when_half_of_many_calls_fail_and_one_good_call_closes_it() {
        let breaker = Breaker::new();
        assert_eq!(calls(&breaker, at(0), 15, true), 15);
        assert_eq!(calls(&breaker, at(900), 100, false), 15);
        assert!(breaker.is_open());
        assert_eq!(calls(&breaker, at(1_399), 100, true), 0);
        assert_eq!(calls(&breaker, at(1_400), 100, true), 100);
        assert!(!breaker.is_open());
    }

    #[test]
    fn few_failures_and_old_ones_do_not_open_it() {
        let breaker = Breaker::new();
        assert_eq!(calls(&breaker, at(0), 19, false), 19);
        assert_eq!(calls(&breaker, at(10_000), 19, false), 19);
        assert_eq!(calls(&breaker, at(10_500), 100, true), 100);
        assert!(!breaker.is_open());
    }

    #[test]
    fn each_failed_try_doubles_the_pause_up_to_two_seconds() {
        let breaker = Breaker::new();
        calls(&breaker, at(0), 20, false);
        let mut now = at(0);
        for pause in [500, 1_000, 2_000, 2_000] {
            assert_eq!(calls(&breaker, now + at(pause - 1), 1, true), 0);
            now += at(pause);
            assert_eq!(calls(&breaker, now, 1, false), 1);
        }
    }

    #[test]
    fn one_that_nobody_tries_is_closed_after_a_while() {
        let breaker = Breaker::new();
        calls(&breaker, at(0), 20, false);
        assert!(!breaker.rest(at(30_499)));
        assert!(breaker.rest(at(30_500)));
        assert_eq!(calls(&breaker, at(30_500), 19, false), 19);
    }

    #[test]
    fn one_call_at_a_time_finds_out_and_one_that_is_given_up_decides_nothing() {
        let breaker = Breaker::new();
        calls(&breaker, at(0), 20, false);
        assert_eq!(breaker.admit(at(500)), Some(Leave::Probe));
        assert_eq!(breaker.admit(at(500)), None);
        // A call from before it opened ends only now.
        breaker.settle(Leave::Normal, at(500), true);
        assert!(breaker.is_open());
        breaker.forget(Leave::Probe, at(501));
        assert_eq!(breaker.admit(at(501)), Some(Leave::Probe));
    }
}
