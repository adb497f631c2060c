//! What makes a run different from the next one, as ports: time, chance, ids, tasks, timers.
//!
//! Everything in Mercat asks these instead of the operating system (`clippy.toml` sees to it), so
//! that a test can set the clock and a simulation can own all of them.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::Timestamp;
use kernel::id::{TypedId, Uuid};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Wall time and monotonic time.
pub trait Clock: Send + Sync {
    /// Wall time. It may jump, in both directions.
    fn now(&self) -> Timestamp;
    /// Time since some fixed point of this process; never goes back.
    fn monotonic(&self) -> Duration;
}

/// Bytes that an attacker cannot foresee.
pub trait Rng: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// Fresh `UUIDv7`s (RFC 9562), each greater than the one before within this process.
pub trait Ids: Send + Sync {
    fn next(&self) -> Uuid;
}

/// Runs a future on its own; it is not cancelled when the caller goes away.
pub trait Spawn: Send + Sync {
    fn spawn(&self, name: &'static str, future: BoxFuture<()>);
}

/// Completes after a duration.
pub trait Timer: Send + Sync {
    fn sleep(&self, duration: Duration) -> BoxFuture<()>;
}

/// The ports, handed to everything that needs one. Cheap to clone.
#[derive(Clone)]
pub struct Env {
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    pub ids: Arc<dyn Ids>,
    pub spawn: Arc<dyn Spawn>,
    pub timer: Arc<dyn Timer>,
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Env")
    }
}

impl Env {
    /// The real ones: system clock, OS-seeded ChaCha12, tokio tasks and timers.
    pub fn system() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let rng: Arc<dyn Rng> = Arc::new(SeededRng::from_os());
        Self {
            ids: Arc::new(MonotonicIds::new(clock.clone(), rng.clone())),
            clock,
            rng,
            spawn: Arc::new(TokioSpawn),
            timer: Arc::new(TokioTimer),
        }
    }

    /// A clock that stands still until told, and chance from a fixed seed. Tasks and timers are
    /// tokio's.
    pub fn test() -> TestEnv {
        let clock = Arc::new(TestClock::default());
        let rng: Arc<dyn Rng> = Arc::new(SeededRng::from_seed(7));
        let env = Self {
            ids: Arc::new(MonotonicIds::new(clock.clone(), rng.clone())),
            clock: clock.clone(),
            rng,
            spawn: Arc::new(TokioSpawn),
            timer: Arc::new(TokioTimer),
        };
        TestEnv { env, clock }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A fresh id of the wanted kind.
    pub fn id<T: TypedId>(&self) -> T {
        T::from_uuid(self.ids.next())
    }

    pub fn uuid(&self) -> Uuid {
        self.ids.next()
    }

    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill(&mut bytes);
        bytes
    }

    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        self.spawn.spawn(name, Box::pin(future));
    }

    pub async fn sleep(&self, duration: Duration) {
        self.timer.sleep(duration).await;
    }

    /// `future`'s output, or `None` when `limit` passes first; the future is then dropped.
    pub async fn timeout<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        let timer = self.timer.sleep(limit);
        let mut future = std::pin::pin!(future);
        tokio::select! {
            biased;
            output = &mut future => Some(output),
            () = timer => None,
        }
    }
}

/// [`Env::test`]: the environment and the handle that moves its clock.
#[derive(Clone)]
pub struct TestEnv {
    pub env: Env,
    pub clock: Arc<TestClock>,
}

impl TestEnv {
    /// Moves wall and monotonic time forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one adapter of the clock port")]
    fn new() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one adapter of the clock port")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::EPOCH.plus(since.unwrap_or_default())
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Starts at 2026-01-01T00:00:00Z and moves only by [`TestEnv::advance`].
#[derive(Default)]
pub struct TestClock {
    offset: Mutex<Duration>,
}

impl TestClock {
    const START: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

    pub fn advance(&self, by: Duration) {
        *self.offset.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Self::START.plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        *self.offset.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct SeededRng(Mutex<ChaCha12Rng>);

impl SeededRng {
    #[expect(clippy::disallowed_methods, reason = "the one adapter of the chance port")]
    fn from_os() -> Self {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("without randomness of the system no key is safe");
        Self(Mutex::new(ChaCha12Rng::from_seed(seed)))
    }

    fn from_seed(seed: u64) -> Self {
        Self(Mutex::new(ChaCha12Rng::seed_from_u64(seed)))
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// `UUIDv7` with the fixed-length counter of RFC 9562, section 6.2, method 1: 12 bits of counter
/// follow the milliseconds, so that ids made in one process sort in the order they were made. A
/// clock that goes back, and more than 4096 ids in a millisecond, borrow from the future.
struct MonotonicIds {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    last: Mutex<(u64, u16)>,
}

impl MonotonicIds {
    fn new(clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self { clock, rng, last: Mutex::new((0, 0)) }
    }
}

impl Ids for MonotonicIds {
    fn next(&self) -> Uuid {
        let now_ms = u64::try_from(self.clock.now().as_micros() / 1000).unwrap_or(0);
        let (ms, counter) = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            *last = match *last {
                (ms, _) if now_ms > ms => (now_ms, 0),
                (ms, 0xfff) => (ms + 1, 0),
                (ms, counter) => (ms, counter + 1),
            };
            *last
        };
        let mut bytes = [0; 10];
        self.rng.fill(&mut bytes[2..]);
        bytes[..2].copy_from_slice(&counter.to_be_bytes());
        kernel::id::v7(ms, bytes)
    }
}

struct TokioSpawn;

impl Spawn for TokioSpawn {
    #[expect(clippy::disallowed_methods, reason = "the one adapter of the task port")]
    fn spawn(&self, _name: &'static str, future: BoxFuture<()>) {
        tokio::spawn(future);
    }
}

struct TokioTimer;

impl Timer for TokioTimer {
    #[expect(clippy::disallowed_methods, reason = "the one adapter of the timer port")]
    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_the_order_they_were_made_even_when_the_clock_stands_still() {
        let env = Env::test().env;
        let ids: Vec<_> = (0..10_000).map(|_| env.uuid()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
