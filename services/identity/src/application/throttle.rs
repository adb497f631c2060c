//! Remembers attempts to sign in, in memory and bounded.
//!
//! By e-mail address and place: a place that guesses wrong gets slower and slower with that address,
//! and slows nobody down elsewhere. By e-mail address alone, for all places together that its owner
//! has not signed in from: guessers with many places. An address without an account is remembered
//! just the same, so the answer does not tell which exist, and a flood of made-up addresses writes
//! nothing to disk. What is remembered is this process's own and is gone after a restart.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::{Email, Timestamp};
use platform::recent::Recent;
use sha2::{Digest, Sha256};

use crate::domain::{Attempts, Budget, Kind, Place, Rejection};

type Key = [u8; 16];

struct Remembered {
    /// By address and place.
    attempts: Recent<Key, Attempts>,
    /// By address.
    budgets: Recent<Key, Budget>,
    /// Address and place of those who signed in. Only a right password gets in here, so a flood of
    /// wrong ones makes it forget nobody.
    proven: Recent<Key, ()>,
}

pub struct Throttle {
    remembered: Mutex<Remembered>,
}

/// One admitted attempt. It counts as abandoned unless it is settled, also when the request is
/// dropped in the middle.
pub struct Admitted<'a> {
    throttle: &'a Throttle,
    here: Key,
    account: Key,
    /// Whether it is taken from what strangers have.
    is_stranger: bool,
    settled: bool,
}

impl Throttle {
    /// Remembers about `tracked` pairs of address and place, and as many good ones.
    pub fn new(tracked: usize) -> Self {
        Self {
            remembered: Mutex::new(Remembered {
                attempts: Recent::new(tracked),
                budgets: Recent::new(tracked),
                proven: Recent::new(tracked),
            }),
        }
    }

    pub fn begin(
        &self,
        kind: Kind,
        email: &Email,
        place: Option<&Place>,
        now: Timestamp,
    ) -> Result<Admitted<'_>, Rejection> {
        let account = key(&[kind.as_str(), email.as_str()]);
        let here = key(&[kind.as_str(), email.as_str(), place.map_or("", Place::as_str)]);
        let mut remembered = self.lock();
        remembered.attempts(here, |attempts| attempts.begin(now)).map_err(too_many)?;
        let is_stranger = remembered.proven.remove(&here).is_none();
        if !is_stranger {
            // Put back as used now.
            remembered.proven.put(here, ());
        } else if let Err(wait) = remembered.budget(account, now, |budget| budget.begin(now)) {
            remembered.attempts(here, Attempts::abandoned);
            return Err(too_many(wait));
        }
        drop(remembered);
        Ok(Admitted { throttle: self, here, account, is_stranger, settled: false })
    }

    /// Somebody registered from here, and so is at home here.
    pub fn registered(&self, kind: Kind, email: &Email, place: Option<&Place>) {
        let here = key(&[kind.as_str(), email.as_str(), place.map_or("", Place::as_str)]);
        self.lock().proven.put(here, ());
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn attempts<R>(&mut self, key: Key, change: impl FnOnce(&mut Attempts) -> R) -> R {
        let mut attempts = self.attempts.remove(&key).unwrap_or_default();
        let result = change(&mut attempts);
        if !attempts.is_blank() {
            self.attempts.put(key, attempts);
        }
        result
    }

    fn budget<R>(&mut self, key: Key, now: Timestamp, change: impl FnOnce(&mut Budget) -> R) -> R {
        let mut budget = self.budgets.remove(&key).unwrap_or_default();
        let result = change(&mut budget);
        if !budget.is_blank(now) {
            self.budgets.put(key, budget);
        }
        result
    }
}

fn too_many(wait: Duration) -> Rejection {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Rejection::TooManyAttempts { retry_after_s: seconds.max(1) }
}

fn key(parts: &[&str]) -> Key {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut key = Key::default();
    key.copy_from_slice(&hash.finalize()[..16]);
    key
}

impl Admitted<'_> {
    pub fn failed(mut self, now: Timestamp) {
        self.settled = true;
        let mut remembered = self.throttle.lock();
        remembered.attempts(self.here, |attempts| attempts.failed(now));
        if self.is_stranger {
            remembered.budget(self.account, now, |budget| budget.failed(now));
        }
    }

    pub fn succeeded(mut self, now: Timestamp) {
        self.settled = true;
        let mut remembered = self.throttle.lock();
        remembered.attempts(self.here, Attempts::succeeded);
        if self.is_stranger {
            remembered.budget(self.account, now, Budget::spared);
        }
        remembered.proven.put(self.here, ());
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let mut remembered = self.throttle.lock();
        remembered.attempts(self.here, Attempts::abandoned);
        if self.is_stranger {
            // Whether nothing is left of it is found out with the next attempt.
            remembered.budget(self.account, Timestamp::EPOCH, Budget::spared);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempts::STRANGERS_BURST;

    const CUSTOMER: Kind = Kind::Customer;

    fn email(n: usize) -> Email {
        format!("user{n}@example.com").parse().unwrap()
    }

    fn place(n: usize) -> Place {
        Place::new(format!("place {n}"))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    /// Guesses wrong until it is refused; how often that was.
    fn guess(throttle: &Throttle, email: &Email, place: &Place, second: i64) -> usize {
        let tries = std::iter::from_fn(|| {
            let admitted = throttle.begin(CUSTOMER, email, Some(place), at(second)).ok()?;
            admitted.failed(at(second));
            Some(())
        });
        tries.take(1_000).count()
    }

    #[test]
    fn a_dropped_attempt_leaves_nothing_behind() {
        let throttle = Throttle::new(100);
        for _ in 0..1_000 {
            drop(throttle.begin(CUSTOMER, &email(1), None, at(0)).unwrap());
        }
        let remembered = throttle.lock();
        assert!(remembered.attempts.is_empty() && remembered.budgets.is_empty());
    }

    #[test]
    fn one_address_does_not_slow_another_nor_another_kind() {
        let throttle = Throttle::new(100);
        for _ in 0..5 {
            throttle.begin(CUSTOMER, &email(1), None, at(0)).unwrap().failed(at(0));
        }
        assert_eq!(
            throttle.begin(CUSTOMER, &email(1), None, at(0)).err(),
            Some(Rejection::TooManyAttempts { retry_after_s: 1 })
        );
        assert!(throttle.begin(CUSTOMER, &email(2), None, at(0)).is_ok());
        assert!(throttle.begin(Kind::Staff, &email(1), None, at(0)).is_ok());
    }

    #[test]
    fn a_stranger_who_guesses_for_days_keeps_nobody_out() {
        let throttle = Throttle::new(1_000);
        for second in (0..2 * 86_400).step_by(5) {
            guess(&throttle, &email(1), &place(666), second);
            // The owner comes in from a place where they never were, at any moment.
            let owner = throttle.begin(CUSTOMER, &email(1), Some(&place(1)), at(second));
            assert!(owner.is_ok(), "after {second} s");
        }
    }

    #[test]
    fn many_strangers_are_slowed_together_and_where_the_owner_was_is_not() {
        let throttle = Throttle::new(10_000);
        let owner = |second| throttle.begin(CUSTOMER, &email(1), Some(&place(1)), at(second));
        owner(0).unwrap().succeeded(at(0));
        let guesses: usize = (2..1_000).map(|n| guess(&throttle, &email(1), &place(n), 0)).sum();
        assert_eq!(guesses, STRANGERS_BURST as usize);
        assert!(throttle.begin(CUSTOMER, &email(1), Some(&place(5_000)), at(0)).is_err());
        assert!(owner(0).is_ok());
        // Where the owner was has a lock of its own all the same.
        assert_eq!(guess(&throttle, &email(1), &place(1), 1), 5);
        assert!(owner(1).is_err());
    }

    #[test]
    fn memory_is_bounded_and_a_busy_address_survives() {
        let throttle = Throttle::new(20);
        throttle.begin(CUSTOMER, &email(0), None, at(0)).unwrap().succeeded(at(0));
        for n in 0..1_000 {
            if n % 5 == 0
                && let Ok(admitted) = throttle.begin(CUSTOMER, &email(0), None, at(n))
            {
                admitted.failed(at(n));
            }
            let other = email(usize::try_from(n).unwrap() + 1);
            throttle.begin(CUSTOMER, &other, None, at(n)).unwrap().failed(at(n));
        }
        let remembered = throttle.lock();
        assert!(remembered.attempts.len() <= 20 && remembered.budgets.len() <= 20);
        assert_eq!(remembered.proven.len(), 1);
        drop(remembered);
        assert!(throttle.begin(CUSTOMER, &email(0), None, at(1_000)).is_err());
    }
}
