//! The keys that sign access tokens, and when each is published, signs and goes.
//!
//! A key is published before it signs, so that every verifier knows it in time, and stays until
//! the last token it signed has ended. All of that follows from one number a key, `signs_from`.

use std::fmt;
use std::time::Duration;

use kernel::Timestamp;
use kernel::id::Uuid;
use serde::{Deserialize, Serialize};

use super::ids::SigningKeyId;

/// How far the clocks of two machines may differ.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// An Ed25519 key pair (RFC 8037).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// PKCS#8 DER, in base 64.
    pub pkcs8: String,
    /// The public key, in base 64 for URLs: the `x` of its JWK.
    pub public: String,
    pub created_at: Timestamp,
    pub signs_from: Timestamp,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, from {}, …)", self.public, self.signs_from)
    }
}

/// When keys change.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// How long a key signs.
    pub rotation: Duration,
    /// How long a key is published before it signs.
    pub publish_ahead: Duration,
    /// How long an access token lives.
    pub token_life: Duration,
}

/// What is to be done now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Make this key, to sign from then.
    pub create: Option<(SigningKeyId, Timestamp)>,
    /// Remove these: no token of theirs is alive.
    pub remove: Vec<SigningKeyId>,
}

/// The key that signs at `now`: the latest one whose time has come. When the clock was set back
/// behind all of them it is the first: verifiers have known it for longest, and a shop that signs
/// nobody in until the clock has caught up would be closed.
pub fn signing(keys: &[(SigningKeyId, Timestamp)], now: Timestamp) -> Option<SigningKeyId> {
    let by_time = |(id, from): &&(SigningKeyId, Timestamp)| (*from, *id);
    let come = keys.iter().filter(|(_, from)| *from <= now).max_by_key(by_time);
    come.or_else(|| keys.iter().min_by_key(by_time)).map(|(id, _)| *id)
}

/// What to create and remove, given the keys there are. Empty `keys` get nothing: the first key is
/// made at the first start, together with the server's secret.
///
/// The id of a next key follows from its predecessor's, so that two processes that plan at the
/// same time make the same key.
pub fn plan(keys: &[(SigningKeyId, Timestamp)], schedule: &Schedule, now: Timestamp) -> Plan {
    let mut keys = keys.to_vec();
    keys.sort_by_key(|(id, from)| (*from, *id));
    let mut plan = Plan::default();
    if let Some((newest, from)) = keys.last()
        && *from <= now
        && from.plus(schedule.rotation) <= now.plus(schedule.publish_ahead)
    {
        let starts = from.plus(schedule.rotation).max(now.plus(schedule.publish_ahead));
        plan.create = Some((successor(*newest), starts));
    }
    let kept = schedule.token_life + CLOCK_SKEW;
    plan.remove =
        keys.windows(2).filter(|pair| pair[1].1.plus(kept) <= now).map(|pair| pair[0].0).collect();
    plan
}

fn successor(id: SigningKeyId) -> SigningKeyId {
    SigningKeyId::from_uuid(Uuid::new_v5(&id.uuid(), b"next signing key"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCHEDULE: Schedule = Schedule {
        rotation: Duration::from_hours(24),
        publish_ahead: Duration::from_mins(10),
        token_life: Duration::from_mins(5),
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn first() -> SigningKeyId {
        SigningKeyId::from_uuid(Uuid::from_u128(1))
    }

    #[test]
    fn the_next_key_is_published_before_it_signs() {
        let keys = vec![(first(), at(0))];
        let day = 24 * 3600;
        assert_eq!(plan(&keys, &SCHEDULE, at(day - 601)), Plan::default());
        let next = plan(&keys, &SCHEDULE, at(day - 600)).create.unwrap();
        assert_eq!(next.1, at(day));
        let late = plan(&keys, &SCHEDULE, at(5 * day)).create.unwrap();
        assert_eq!(late, (next.0, at(5 * day + 600)));
    }

    #[test]
    fn a_clock_behind_every_key_leaves_the_first_one_to_sign() {
        let next = SigningKeyId::from_uuid(Uuid::from_u128(2));
        let keys = vec![(next, at(2_000)), (first(), at(1_000))];
        assert_eq!(signing(&keys, at(900)), Some(first()));
        assert_eq!(signing(&keys, at(1_500)), Some(first()));
        assert_eq!(signing(&keys, at(2_000)), Some(next));
        assert_eq!(signing(&[], at(0)), None);
    }

    proptest! {
        /// A process looks at irregular times: there is always a key that signs, it was published
        /// long enough before, and no key goes while a token it signed is alive.
        #[test]
        fn a_hundred_rotations_leave_no_gap(steps in proptest::collection::vec(1_i64..7_000, 1..1_000)) {
            let mut keys = vec![(first(), at(0))];
            let mut published = std::collections::BTreeMap::from([(first(), at(-100_000))]);
            let mut last_signed = std::collections::BTreeMap::new();
            let mut now = 0;
            for step in steps {
                now += step;
                let signer = signing(&keys, at(now)).expect("some key signs");
                prop_assert!(at(now).since(published[&signer]) >= SCHEDULE.publish_ahead);
                last_signed.insert(signer, at(now));
                let plan = plan(&keys, &SCHEDULE, at(now));
                for gone in &plan.remove {
                    if let Some(last) = last_signed.get(gone) {
                        prop_assert!(at(now).since(*last) >= SCHEDULE.token_life);
                    }
                }
                keys.retain(|(id, _)| !plan.remove.contains(id));
                if let Some((id, from)) = plan.create {
                    prop_assert!(!published.contains_key(&id));
                    published.insert(id, at(now));
                    keys.push((id, from));
                }
                prop_assert!(keys.len() <= 3);
            }
        }
    }
}
