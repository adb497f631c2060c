//! Asking the provider, and when to ask again.

use std::time::Duration;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

/// The first pause after an answer that was not final; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause. Short enough that everything is resolved within a minute after a provider
/// came back.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

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

    pub fn is_due(self, now: Timestamp) -> bool {
        self.next_at <= now
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
}
