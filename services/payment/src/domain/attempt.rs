//! Asking the provider, and when to ask again.

use std::time::Duration;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

/// The first pause after an answer that was not final; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause. Short enough that everything is resolved within a minute after a provider
/// came back.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// The longest that anything waits which was not refused: the provider's time-out at its most and
/// the time to record it, or the watch for a late charge.
pub const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// The first pause after the provider refused to give money back; it doubles from one refusal to
/// the next.
const FIRST_PAUSE_AFTER_REFUSAL: Duration = Duration::from_secs(30);
/// The longest pause after a refusal.
pub const LONGEST_PAUSE_AFTER_REFUSAL: Duration = Duration::from_mins(15);

/// Work at the provider that has no final answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// How often the provider was asked or is being asked. 0: it surely never heard of it.
    pub tries: u32,
    /// When somebody should look. Until then whoever recorded the attempt is at it.
    pub next_at: Timestamp,
}

impl Attempt {
    /// Nobody asked yet; somebody should at once.
    pub const fn wanted(now: Timestamp) -> Self {
        Self { tries: 0, next_at: now }
    }

    /// The caller asks now, and has `patience` to record what it heard.
    pub fn asking(now: Timestamp, patience: Duration) -> Self {
        Self { tries: 1, next_at: now.plus(patience) }
    }

    /// Asked once more, still nothing final.
    #[must_use]
    pub fn again(self, now: Timestamp) -> Self {
        let doublings = self.tries.min(10);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        Self { tries: self.tries.saturating_add(1).max(2), next_at: now.plus(pause) }
    }

    /// Refused for the `times`th time; to be asked for anew, under another key.
    pub fn after_refusal(now: Timestamp, times: u32) -> Self {
        let doublings = times.saturating_sub(1).min(10);
        let pause = FIRST_PAUSE_AFTER_REFUSAL.saturating_mul(1 << doublings);
        Self { tries: 0, next_at: now.plus(pause.min(LONGEST_PAUSE_AFTER_REFUSAL)) }
    }

    /// Nothing ever waits for more than `longest`: what seems to was put off before the clock was
    /// set back, and is due.
    pub fn is_due(self, now: Timestamp, longest: Duration) -> bool {
        self.next_at <= now || self.next_at > now.plus(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let now = Timestamp::EPOCH;
        let mut attempt = Attempt::wanted(now);
        let mut pauses = Vec::new();
        for _ in 0..20 {
            attempt = attempt.again(now);
            pauses.push(attempt.next_at.since(now));
        }
        assert_eq!(pauses[0], FIRST_PAUSE);
        assert!(pauses.is_sorted());
        assert_eq!(pauses[19], LONGEST_PAUSE);
    }

    #[test]
    fn a_refusal_is_followed_by_longer_and_longer_pauses() {
        let now = Timestamp::EPOCH;
        let pause = |times| Attempt::after_refusal(now, times).next_at.since(now);
        assert_eq!(pause(1), FIRST_PAUSE_AFTER_REFUSAL);
        assert_eq!(pause(2), 2 * FIRST_PAUSE_AFTER_REFUSAL);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE_AFTER_REFUSAL);
    }

    #[test]
    fn what_waits_for_longer_than_anything_may_is_due() {
        let now = Timestamp::EPOCH.plus(Duration::from_hours(5));
        let attempt = Attempt::wanted(now).again(now);
        assert!(!attempt.is_due(now, LONGEST_WAIT));
        let before = now.minus(Duration::from_hours(2));
        assert!(attempt.is_due(before, LONGEST_WAIT));
    }
}
