//! Connections: so many for batches, so many for reads, kept open between uses.
//!
//! A pool of our own, because sqlx's asks the server whether it is there before or after each use,
//! a round trip that a batch would pay. Here a connection that turns out to be dead is replaced
//! when it is used, which is safe as long as nothing was decided on it. One that is dropped in the
//! middle of something is closed and not used again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::refusal::{is_final, is_lost, told, unavailable};
use super::{OpenError, Options};
use crate::env::Env;
use crate::store::engine::EngineError;

/// After this a connection is replaced: a server behind a name may have moved.
const LIFETIME: Duration = Duration::from_mins(30);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How many statements a connection keeps prepared: batches have one for each mix of what they read
/// and of what they write.
const STATEMENTS: usize = 256;
/// A server that restarts is waited for this long.
const RESTART_LIMIT: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// A batch ends with its process: what holds locks and says nothing loses them, so that other
/// replicas go on. A lock that is not had in time, and a read that takes too long, are given up.
const SETTINGS: &str = "SET statement_timeout = '15s'; SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '10s'; \
    SET default_transaction_isolation = 'read committed'; SET client_min_messages = 'warning'; \
    SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') = 'off'";
/// Not on every system: work for a client that has gone is stopped.
const OPTIONAL_SETTINGS: &str = "SET client_connection_check_interval = '2s'";

/// Batches go by keys alone: what is best does not depend on the values. A statement is planned once
/// a connection, and never as if its tables were still as small as they were then.
const BATCH_SETTINGS: &str = "SET plan_cache_mode = 'force_generic_plan'; \
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

/// Batches have connections of their own, and with them the statements that are prepared there.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Batch,
    Read,
}

struct Idle {
    connection: PgConnection,
    opened: Duration,
}

pub(super) struct Connections {
    env: Env,
    service: &'static str,
    options: PgConnectOptions,
    batches: Pool,
    reads: Pool,
}

/// Those of one purpose.
struct Pool {
    idle: Mutex<Vec<Idle>>,
    permits: Semaphore,
}

impl Pool {
    fn new(size: u32) -> Self {
        Self { idle: Mutex::default(), permits: Semaphore::new(size.max(1) as usize) }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection of one's own until it is given back. Dropped instead, it is closed.
pub(super) struct Lease<'a> {
    pub connection: PgConnection,
    opened: Duration,
    pool: &'a Pool,
    _permit: SemaphorePermit<'a>,
}

impl Lease<'_> {
    pub fn give_back(self) {
        let idle = Idle { connection: self.connection, opened: self.opened };
        self.pool.idle().push(idle);
    }
}

impl Connections {
    pub fn new(env: Env, service: &'static str, options: &Options) -> Result<Self, OpenError> {
        let refused = |error: sqlx::Error| OpenError::Refused(told(&error));
        let parsed: PgConnectOptions = options.url.parse().map_err(refused)?;
        Ok(Self {
            env,
            service,
            options: parsed
                .application_name(service)
                .disable_statement_logging()
                .statement_cache_capacity(STATEMENTS),
            batches: Pool::new(options.writers),
            reads: Pool::new(options.readers),
        })
    }

    pub async fn take(&self, purpose: Purpose) -> Result<Lease<'_>, EngineError> {
        let pool = match purpose {
            Purpose::Batch => &self.batches,
            Purpose::Read => &self.reads,
        };
        let closed = |_| EngineError::Unavailable("postgres: the pool is closed".to_owned());
        let permit = pool.permits.acquire().await.map_err(closed)?;
        let now = self.env.clock.monotonic();
        let idle = std::iter::from_fn(|| pool.idle().pop())
            .find(|idle| now.saturating_sub(idle.opened) < LIFETIME);
        let (connection, opened) = match idle {
            Some(idle) => (idle.connection, idle.opened),
            None => (self.connect_for(purpose).await?, now),
        };
        Ok(Lease { connection, opened, pool, _permit: permit })
    }

    async fn connect_for(&self, purpose: Purpose) -> Result<PgConnection, EngineError> {
        let mut connection = self.connect().await?;
        if matches!(purpose, Purpose::Batch) {
            let set = sqlx::raw_sql(BATCH_SETTINGS).execute(&mut connection).await;
            set.map_err(|error| unavailable(&error))?;
        }
        Ok(connection)
    }

    /// When one connection was found dead, the idle ones most likely are dead too.
    pub fn forget_idle(&self) {
        self.batches.idle().clear();
        self.reads.idle().clear();
    }

    pub async fn connect(&self) -> Result<PgConnection, EngineError> {
        self.reach().await.map_err(OpenError::into)
    }

    /// Waits a little for a server that is just starting.
    pub async fn reach(&self) -> Result<PgConnection, OpenError> {
        let begun = self.env.clock.monotonic();
        let mut waited = Duration::ZERO;
        let mut pause = FIRST_PAUSE;
        loop {
            let attempt = self.env.timeout(CONNECT_LIMIT, self.open()).await;
            let error = match attempt {
                Some(Ok(connection)) => return Ok(connection),
                Some(Err(error)) => error,
                None => {
                    return Err(OpenError::Away("postgres: no connection".to_owned()));
                }
            };
            let passed = self.env.clock.monotonic().saturating_sub(begun).max(waited);
            if is_final(&error) {
                return Err(OpenError::Refused(told(&error)));
            }
            if !is_lost(&error) || passed + pause > RESTART_LIMIT {
                return Err(OpenError::Away(told(&error)));
            }
            self.env.sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(Duration::from_millis(400));
        }
    }

    async fn open(&self) -> sqlx::Result<PgConnection> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
        let optional = sqlx::raw_sql(OPTIONAL_SETTINGS).execute(&mut connection).await;
        if optional.is_err_and(|error| is_lost(&error)) {
            return Err(sqlx::Error::WorkerCrashed);
        }
        metrics::counter!("mercat_store_connections_total", "service" => self.service).increment(1);
        Ok(connection)
    }
}
