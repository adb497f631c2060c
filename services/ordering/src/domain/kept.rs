//! Answers that are kept for repeated requests and show a buyer's personal data. The cart or order
//! that they show remembers which they are, so that they are erased with it.

use std::time::Duration;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::checkout::RequestKey;

/// How many answers a cart or an order remembers; each has a place in its row.
pub const MAX_ANSWERS: usize = 32;
/// Answers are kept for less long than this.
const KEPT: Duration = Duration::from_hours(24 * 4);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptAnswer {
    #[serde(flatten)]
    request: RequestKey,
    at: Timestamp,
}

/// The requests whose kept answers show something, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeptAnswers(Vec<KeptAnswer>);

impl KeptAnswers {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes one more. Those that come back are too many to remember: their answers are to be erased
    /// now.
    #[must_use]
    pub fn note(&mut self, request: RequestKey, at: Timestamp) -> Vec<RequestKey> {
        self.forget_old(at);
        self.0.push(KeptAnswer { request, at });
        let surplus = self.0.len().saturating_sub(MAX_ANSWERS);
        self.0.drain(..surplus).map(|kept| kept.request).collect()
    }

    /// Takes over what another thing remembers; the next [`Self::note`] hands out what is too much.
    pub fn absorb(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
        self.0.sort_by_key(|kept| kept.at);
    }

    /// All whose answers may still be kept, to be erased.
    #[must_use]
    pub fn take(&mut self, now: Timestamp) -> Vec<RequestKey> {
        self.forget_old(now);
        std::mem::take(&mut self.0).into_iter().map(|kept| kept.request).collect()
    }

    fn forget_old(&mut self, now: Timestamp) {
        self.0.retain(|kept| now.since(kept.at) < KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(n: usize) -> RequestKey {
        RequestKey {
            owner: "customer:1".to_owned(),
            route: "PATCH /v1/carts/{cart_id}".to_owned(),
            key: n.to_string(),
            fingerprint: "00".to_owned(),
        }
    }

    fn at(hours: u64) -> Timestamp {
        Timestamp::EPOCH.plus(Duration::from_hours(hours))
    }

    #[test]
    fn what_is_too_much_to_remember_is_handed_out_to_be_erased() {
        let mut kept = KeptAnswers::default();
        for n in 0..MAX_ANSWERS {
            assert_eq!(kept.note(request(n), at(1)), []);
        }
        assert_eq!(kept.note(request(MAX_ANSWERS), at(1)), [request(0)]);
        let mut other = KeptAnswers::default();
        assert_eq!(other.note(request(1000), at(0)), []);
        kept.absorb(&mut other);
        assert!(other.is_empty());
        assert_eq!(kept.note(request(1001), at(1)), [request(1000), request(1)]);
    }

    #[test]
    fn what_is_no_longer_kept_is_forgotten() {
        let mut kept = KeptAnswers::default();
        assert_eq!(kept.note(request(1), at(0)), []);
        assert_eq!(kept.note(request(2), at(95)), []);
        assert_eq!(kept.take(at(96)), [request(2)]);
        assert!(kept.is_empty());
    }

    #[test]
    fn it_survives_its_text() {
        let mut kept = KeptAnswers::default();
        assert_eq!(kept.note(request(1), at(2)), []);
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<KeptAnswers>(&text).unwrap(), kept);
    }
}
