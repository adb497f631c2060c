//! Argon2id (RFC 9106) on a bounded number of blocking threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
};
use async_trait::async_trait;
use platform::env::Env;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::Password;
use crate::ports::{PasswordError, Passwords, Verdict};

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
}

pub struct Argon2Passwords {
    env: Env,
    params: Params,
    /// What a password without an account is compared with: right parameters, impossible output.
    dummy: String,
    turns: Semaphore,
    waiting: AtomicUsize,
    queue: usize,
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
            turns: Semaphore::new(cost.parallelism.max(1)),
            waiting: AtomicUsize::new(0),
            queue: cost.queue,
        })
    }

    /// Waits for a turn, or refuses at once when too many wait.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, PasswordError> {
        if let Ok(permit) = self.turns.try_acquire() {
            return Ok(permit);
        }
        let _place = Place::take(&self.waiting, self.queue).ok_or(PasswordError::Busy)?;
        self.turns.acquire().await.map_err(|error| failed(&error))
    }

    async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce(Argon2<'static>) -> R + Send + 'static,
    ) -> Result<R, PasswordError> {
        let _permit = self.turn().await?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let joined = tokio::task::spawn_blocking(move || work(argon2)).await;
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
    async fn hash(&self, password: Password) -> Result<String, PasswordError> {
        let salt: [u8; 16] = self.env.random();
        let hash = self
            .blocking(move |argon2| {
                argon2.hash_password_with_salt(password.expose().as_bytes(), &salt)
            })
            .await?;
        hash.map(|hash| hash.to_string()).map_err(|error| failed(&error))
    }

    async fn verify(
        &self,
        password: Password,
        hash: Option<String>,
    ) -> Result<Verdict, PasswordError> {
        let known = hash.is_some();
        let text = hash.unwrap_or_else(|| self.dummy.clone());
        let stored = PasswordHash::new(&text).map_err(|error| failed(&error))?;
        let outdated = self.is_outdated(&stored);
        // The costs of the stored hash are used, whatever today's are.
        let right = self
            .blocking(move |argon2| {
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

/// A place in the queue, given back when dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, limit: usize) -> Option<Self> {
        let taken = waiting.fetch_add(1, Ordering::AcqRel);
        let place = Self(waiting);
        (taken < limit).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The port that the use cases hold.
pub fn shared(passwords: Argon2Passwords) -> Arc<dyn Passwords> {
    Arc::new(passwords)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(passes: u32) -> Cost {
        Cost { memory_kib: MIN_MEMORY_KIB, passes, lanes: 1, parallelism: 1, queue: 1 }
    }

    fn passwords(passes: u32) -> Argon2Passwords {
        Argon2Passwords::new(Env::test().env, cost(passes)).unwrap()
    }

    fn typed(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_hash_is_salted_and_names_its_costs() {
        let passwords = passwords(2);
        let one = passwords.hash(typed("correct horse")).await.unwrap();
        let two = passwords.hash(typed("correct horse")).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two);
        let right = passwords.verify(typed("correct horse"), Some(one.clone())).await;
        assert_eq!(right, Ok(Verdict::Right { outdated: false }));
        let wrong = passwords.verify(typed("correct horsf"), Some(one)).await;
        assert_eq!(wrong, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn a_hash_with_other_costs_is_right_and_outdated() {
        let old = passwords(2).hash(typed("correct horse")).await.unwrap();
        let verdict = passwords(3).verify(typed("correct horse"), Some(old)).await;
        assert_eq!(verdict, Ok(Verdict::Right { outdated: true }));
    }

    #[tokio::test]
    async fn without_a_hash_the_same_work_ends_in_wrong() {
        let passwords = passwords(2);
        let stored = PasswordHash::new(&passwords.dummy).unwrap();
        assert!(!passwords.is_outdated(&stored));
        assert_eq!(passwords.verify(typed("anything at all"), None).await, Ok(Verdict::Wrong));
    }

    #[test]
    fn costs_below_the_recommended_least_are_refused() {
        let env = Env::test().env;
        let weak = Cost { memory_kib: MIN_MEMORY_KIB - 1, ..cost(2) };
        assert!(Argon2Passwords::new(env.clone(), weak).is_err());
        assert!(Argon2Passwords::new(env, cost(1)).is_err());
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let passwords = passwords(2);
        let _running = passwords.turn().await.unwrap();
        let _waiting = Place::take(&passwords.waiting, passwords.queue).unwrap();
        assert_eq!(passwords.hash(typed("x")).await, Err(PasswordError::Busy));
    }
}
