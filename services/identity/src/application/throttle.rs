//! Remembers failed attempts by e-mail address, in memory and bounded.
//!
//! An address without an account is remembered just the same, so the answer does not tell which
//! exist, and a flood of made-up addresses writes nothing to disk. The count is this process's own
//! and is gone after a restart. Addresses of clients are not known here, and are not limited yet.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::{Email, Timestamp};
use sha2::{Digest, Sha256};

use crate::domain::{Attempts, Kind, Rejection};

type Key = [u8; 16];

/// Two generations: when the younger is full it becomes the older, and the older is forgotten.
#[derive(Default)]
struct Remembered {
    young: HashMap<Key, Attempts>,
    old: HashMap<Key, Attempts>,
}

pub struct Throttle {
    remembered: Mutex<Remembered>,
    generation: usize,
}

/// One admitted attempt. It counts as abandoned unless it is settled, also when the request is
/// dropped in the middle.
pub struct Admitted<'a> {
    throttle: &'a Throttle,
    key: Key,
    settled: bool,
}

impl Throttle {
    /// Remembers about `tracked` addresses.
    pub fn new(tracked: usize) -> Self {
        Self { remembered: Mutex::default(), generation: (tracked / 2).max(1) }
    }

    pub fn begin(
        &self,
        kind: Kind,
        email: &Email,
        now: Timestamp,
    ) -> Result<Admitted<'_>, Rejection> {
        let mut hash = Sha256::new();
        hash.update(kind.as_str());
        hash.update(b":");
        hash.update(email.as_str());
        let mut key = Key::default();
        key.copy_from_slice(&hash.finalize()[..16]);
        self.with(key, |attempts| attempts.begin(now)).map_err(|wait| {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Rejection::TooManyAttempts { retry_after_s: seconds.max(1) }
        })?;
        Ok(Admitted { throttle: self, key, settled: false })
    }

    fn with<R>(&self, key: Key, change: impl FnOnce(&mut Attempts) -> R) -> R {
        let mut remembered = self.lock();
        let mut attempts = match remembered.young.get(&key) {
            Some(attempts) => *attempts,
            None => remembered.old.remove(&key).unwrap_or_default(),
        };
        let result = change(&mut attempts);
        if attempts == Attempts::default() {
            remembered.young.remove(&key);
            return result;
        }
        if remembered.young.len() >= self.generation && !remembered.young.contains_key(&key) {
            remembered.old = std::mem::take(&mut remembered.young);
        }
        remembered.young.insert(key, attempts);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted<'_> {
    pub fn failed(mut self, now: Timestamp) {
        self.settled = true;
        self.throttle.with(self.key, |attempts| attempts.failed(now));
    }

    pub fn succeeded(mut self) {
        self.settled = true;
        self.throttle.with(self.key, Attempts::succeeded);
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.throttle.with(self.key, Attempts::abandoned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(n: usize) -> Email {
        format!("user{n}@example.com").parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    #[test]
    fn a_dropped_attempt_leaves_nothing_behind() {
        let throttle = Throttle::new(100);
        for _ in 0..1_000 {
            drop(throttle.begin(Kind::Customer, &email(1), at(0)).unwrap());
        }
        assert!(throttle.lock().young.is_empty());
    }

    #[test]
    fn one_address_does_not_slow_another_nor_another_kind() {
        let throttle = Throttle::new(100);
        for _ in 0..5 {
            throttle.begin(Kind::Customer, &email(1), at(0)).unwrap().failed(at(0));
        }
        assert_eq!(
            throttle.begin(Kind::Customer, &email(1), at(0)).err(),
            Some(Rejection::TooManyAttempts { retry_after_s: 1 })
        );
        assert!(throttle.begin(Kind::Customer, &email(2), at(0)).is_ok());
        assert!(throttle.begin(Kind::Staff, &email(1), at(0)).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_a_busy_address_survives_a_generation() {
        let throttle = Throttle::new(20);
        for n in 0..1_000 {
            if n % 5 == 0
                && let Ok(admitted) = throttle.begin(Kind::Customer, &email(0), at(n))
            {
                admitted.failed(at(n));
            }
            let other = email(usize::try_from(n).unwrap() + 1);
            throttle.begin(Kind::Customer, &other, at(n)).unwrap().failed(at(n));
        }
        let remembered = throttle.lock();
        assert!(remembered.young.len() + remembered.old.len() <= 21);
        drop(remembered);
        assert!(throttle.begin(Kind::Customer, &email(0), at(1_000)).is_err());
    }
}
