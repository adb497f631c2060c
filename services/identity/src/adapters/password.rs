//! Argon2id (RFC 9106) on a bounded number of blocking threads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
};
use async_trait::async_trait;
use platform::env::Env;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::{Password, Place};
use crate::ports::{Asker, PasswordError, Passwords, Verdict};

/// The least that OWASP recommends; less is refused.
pub const MIN_MEMORY_KIB: u32 = 19 * 1024;
pub const MIN_PASSES: u32 = 2;

/// What a hash costs, and how much of that may go on at a time.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    /// Hashes at the same time. Each holds `memory_kib`.
    pub parallelism: usize,
    /// How many may wait for their turn.
    pub queue: usize,
    /// How many of one place may wait.
    pub queue_per_place: usize,
}

pub struct Argon2Passwords {
    env: Env,
    params: Params,
    /// What a password without an account is compared with: right parameters, impossible output.
    dummy: String,
    turns: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
    queue: usize,
    queue_per_place: usize,
}

impl Argon2Passwords {
    /// Refuses parameters below [`MIN_MEMORY_KIB`] and [`MIN_PASSES`].
    pub fn new(env: Env, cost: Cost) -> Result<Self, PasswordError> {
        if cost.memory_kib < MIN_MEMORY_KIB || cost.passes < MIN_PASSES {
            return Err(failed(&format_args!(
                "argon2id with {} KiB and {} passes is below {MIN_MEMORY_KIB} KiB and {MIN_PASSES}",
                cost.memory_kib, cost.passes
            )));
        }
        let length = Some(Params::DEFAULT_OUTPUT_LEN);
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, length);
        let params = params.map_err(|error| failed(&error))?;
        let dummy = dummy(&params, env.random()).map_err(|error| failed(&error))?;
        Ok(Self {
            env,
            params,
            dummy,
            turns: Arc::new(Semaphore::new(cost.parallelism.max(1))),
            waiting: Mutex::default(),
            queue: cost.queue,
            queue_per_place: cost.queue_per_place,
        })
    }

    /// Waits for a turn; refuses at once when too many wait, and later when nobody waits any more.
    async fn turn(&self, asker: &Asker) -> Result<OwnedSemaphorePermit, PasswordError> {
        let remaining = asker.deadline.remaining(&self.env);
        if remaining.is_zero() {
            return Err(PasswordError::Busy);
        }
        if let Ok(permit) = self.turns.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _ticket = self.queue_up(asker.place.as_ref()).ok_or(PasswordError::Busy)?;
        let turn = self.env.timeout(remaining, self.turns.clone().acquire_owned()).await;
        let permit = turn.ok_or(PasswordError::Busy)?.map_err(|error| failed(&error))?;
        if asker.deadline.has_passed(&self.env) {
            return Err(PasswordError::Busy);
        }
        Ok(permit)
    }

    fn queue_up(&self, place: Option<&Place>) -> Option<Ticket<'_>> {
        let mut waiting = lock(&self.waiting);
        let of_place = place.and_then(|place| waiting.of.get(place)).copied().unwrap_or(0);
        if waiting.all >= self.queue || of_place >= self.queue_per_place {
            return None;
        }
        waiting.all += 1;
        if let Some(place) = place {
            waiting.of.insert(place.clone(), of_place + 1);
        }
        drop(waiting);
        Some(Ticket { waiting: &self.waiting, place: place.cloned() })
    }

    async fn blocking<R: Send + 'static>(
        &self,
        asker: &Asker,
        work: impl FnOnce(Argon2<'static>) -> R + Send + 'static,
    ) -> Result<R, PasswordError> {
        let permit = self.turn(asker).await?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let bounded = move || {
            // Held by the work: it goes on when whoever asked for it has gone.
            let _permit = permit;
            work(argon2)
        };
        let joined = tokio::task::spawn_blocking(bounded).await;
        joined.map_err(|error| failed(&error))
    }

    fn is_outdated(&self, stored: &PasswordHash) -> bool {
        stored.algorithm != ARGON2ID_IDENT
            || Params::try_from(stored).map_or(true, |params| {
                params.m_cost() != self.params.m_cost()
                    || params.t_cost() != self.params.t_cost()
                    || params.p_cost() != self.params.p_cost()
            })
    }
}

#[async_trait]
impl Passwords for Argon2Passwords {
    async fn hash(&self, asker: &Asker, password: Password) -> Result<String, PasswordError> {
        let salt: [u8; 16] = self.env.random();
        let hash = self
            .blocking(asker, move |argon2| {
                argon2.hash_password_with_salt(password.expose().as_bytes(), &salt)
            })
            .await?;
        hash.map(|hash| hash.to_string()).map_err(|error| failed(&error))
    }

    async fn verify(
        &self,
        asker: &Asker,
        password: Password,
        hash: Option<String>,
    ) -> Result<Verdict, PasswordError> {
        let known = hash.is_some();
        let text = hash.unwrap_or_else(|| self.dummy.clone());
        let stored = PasswordHash::new(&text).map_err(|error| failed(&error))?;
        let outdated = self.is_outdated(&stored);
        // The costs of the stored hash are used, whatever today's are.
        let right = self
            .blocking(asker, move |argon2| {
                argon2.verify_password(password.expose().as_bytes(), &stored).is_ok()
            })
            .await?;
        Ok(if known && right { Verdict::Right { outdated } } else { Verdict::Wrong })
    }
}

fn dummy(
    params: &Params,
    salt: [u8; 16],
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let hash = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: params.try_into()?,
        salt: Some(Salt::new(&salt)?),
        hash: Some(Output::new(&[0; Params::DEFAULT_OUTPUT_LEN])?),
    };
    Ok(hash.to_string())
}

fn failed(error: &dyn std::fmt::Display) -> PasswordError {
    PasswordError::Failed(error.to_string())
}

/// Who waits for a turn. Holds an entry for each place with one waiting at least, so it is bounded
/// by the queue.
#[derive(Default)]
struct Waiting {
    all: usize,
    of: HashMap<Place, usize>,
}

/// A place in the queue, given back when dropped.
struct Ticket<'a> {
    waiting: &'a Mutex<Waiting>,
    place: Option<Place>,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut waiting = lock(self.waiting);
        waiting.all = waiting.all.saturating_sub(1);
        let Some(place) = &self.place else { return };
        if let Some(count) = waiting.of.get_mut(place) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                waiting.of.remove(place);
            }
        }
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The port that the use cases hold.
pub fn shared(passwords: Argon2Passwords) -> Arc<dyn Passwords> {
    Arc::new(passwords)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use platform::context::Deadline;
    use platform::env::TestEnv;

    use super::*;

    fn cost(passes: u32) -> Cost {
        let (parallelism, queue, queue_per_place) = (1, 3, 2);
        let memory_kib = MIN_MEMORY_KIB;
        Cost { memory_kib, passes, lanes: 1, parallelism, queue, queue_per_place }
    }

    fn made(passes: u32) -> (Argon2Passwords, TestEnv) {
        let test = Env::test();
        (Argon2Passwords::new(test.env.clone(), cost(passes)).unwrap(), test)
    }

    fn somebody(test: &TestEnv) -> Asker {
        Asker { place: None, deadline: Deadline::after(&test.env, Duration::from_mins(1)) }
    }

    fn typed(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_hash_is_salted_and_names_its_costs() {
        let (passwords, test) = made(2);
        let who = somebody(&test);
        let one = passwords.hash(&who, typed("correct horse")).await.unwrap();
        let two = passwords.hash(&who, typed("correct horse")).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two);
        let right = passwords.verify(&who, typed("correct horse"), Some(one.clone())).await;
        assert_eq!(right, Ok(Verdict::Right { outdated: false }));
        let wrong = passwords.verify(&who, typed("correct horsf"), Some(one)).await;
        assert_eq!(wrong, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn a_hash_with_other_costs_is_right_and_outdated() {
        let ((before, test), (now, _)) = (made(2), made(3));
        let who = somebody(&test);
        let old = before.hash(&who, typed("correct horse")).await.unwrap();
        let verdict = now.verify(&who, typed("correct horse"), Some(old)).await;
        assert_eq!(verdict, Ok(Verdict::Right { outdated: true }));
    }

    #[tokio::test]
    async fn without_a_hash_the_same_work_ends_in_wrong() {
        let (passwords, test) = made(2);
        let stored = PasswordHash::new(&passwords.dummy).unwrap();
        assert!(!passwords.is_outdated(&stored));
        let verdict = passwords.verify(&somebody(&test), typed("anything at all"), None).await;
        assert_eq!(verdict, Ok(Verdict::Wrong));
    }

    #[test]
    fn costs_below_the_recommended_least_are_refused() {
        let env = Env::test().env;
        let weak = Cost { memory_kib: MIN_MEMORY_KIB - 1, ..cost(2) };
        assert!(Argon2Passwords::new(env.clone(), weak).is_err());
        assert!(Argon2Passwords::new(env, cost(1)).is_err());
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_one_place_cannot_fill_it() {
        let (passwords, test) = made(2);
        let _running = passwords.turn(&somebody(&test)).await.unwrap();
        let flood = Place::new("203.0.113.9/32".to_owned());
        let tickets: Vec<_> =
            std::iter::from_fn(|| passwords.queue_up(Some(&flood))).take(10).collect();
        assert_eq!(tickets.len(), 2);
        let asker = Asker { place: Some(flood.clone()), ..somebody(&test) };
        assert_eq!(passwords.hash(&asker, typed("x")).await, Err(PasswordError::Busy));
        let other = passwords.queue_up(Some(&Place::new("203.0.113.10/32".to_owned())));
        assert!(other.is_some());
        assert_eq!(passwords.hash(&somebody(&test), typed("x")).await, Err(PasswordError::Busy));
        drop((tickets, other));
        assert!(passwords.queue_up(Some(&flood)).is_some());
        assert!(lock(&passwords.waiting).of.is_empty());
    }

    #[tokio::test]
    async fn nothing_is_hashed_for_somebody_whose_deadline_has_passed() {
        let (passwords, test) = made(2);
        let late = somebody(&test);
        test.advance(Duration::from_mins(1));
        assert_eq!(passwords.hash(&late, typed("x")).await, Err(PasswordError::Busy));
        // The same for one whose time runs out in the queue.
        let running = passwords.turn(&somebody(&test)).await.unwrap();
        let waiting = somebody(&test);
        let (outcome, ()) = tokio::join!(passwords.hash(&waiting, typed("x")), async {
            test.advance(Duration::from_mins(1));
            drop(running);
        });
        assert_eq!(outcome, Err(PasswordError::Busy));
    }
}
