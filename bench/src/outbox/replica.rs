//! One replica of a made-up service, with its writers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kernel::Timestamp;
use kernel::id::Uuid;
use platform::Context;
use platform::bus::BrokeredBus;
use platform::bus::broker::Broker;
use platform::bus::kafka::{Kafka, KafkaConfig};
use platform::bus::memory::MemoryBroker;
use platform::env::Env;
use platform::event::Event;
use platform::executor::{Command, Executor, Keys, States};
use platform::shutdown::{Phase, Shutdown};
use platform::store::postgres::{Options, PostgresEngine};
use platform::store::{Aggregate, Column, Migration, Schema, StoreError, Value};
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

use super::journal::{Journal, Watched};
use super::place::Place;
use crate::rng::Rng;
use crate::{Outcome, clock};

/// As a service in a shop has.
const LANES: u32 = 2;
/// A command touches so many aggregates at most.
const MOST: u32 = 12;
const DEADLINE: Duration = Duration::from_mins(1);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Thing {
    changes: u64,
}

impl Aggregate for Thing {
    const TABLE: &'static str = "thing";
    const COLUMNS: &'static [Column] = &[];
    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }
}

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "init",
    sqlite: "CREATE TABLE thing (id BLOB PRIMARY KEY, version INTEGER NOT NULL, \
             seq INTEGER NOT NULL, state TEXT NOT NULL) STRICT, WITHOUT ROWID;",
    postgres: Some(
        "CREATE TABLE thing (id UUID PRIMARY KEY, version BIGINT NOT NULL, seq BIGINT NOT NULL, \
         state JSONB NOT NULL);",
    ),
}];

#[derive(Clone, PartialEq, prost::Message)]
struct ThingChanged {
    #[prost(uint64, tag = "1")]
    changes: u64,
}

impl Event for ThingChanged {
    const TYPE: &'static str = "mercat.outbox.ThingChanged.v1";
}

/// Makes or changes several things, each with an event or two; or refuses at the end.
struct Change {
    ids: Vec<Uuid>,
    refuses: bool,
}

impl Command for Change {
    type Reply = ();
    type Error = StoreError;

    fn keys(&self, keys: &mut Keys) {
        for id in &self.ids {
            keys.add::<Thing>(*id);
        }
    }

    fn decide(&self, states: &mut States<'_>, _now: Timestamp) -> Result<(), StoreError> {
        for id in &self.ids {
            let changes = states.get::<Thing>(*id).map_or(0, |thing| thing.changes) + 1;
            states.put(*id, Thing { changes });
            for _ in 0..=(changes % 2) {
                states.emit::<Thing, _>(*id, &ThingChanged { changes });
            }
        }
        if self.refuses { Err(StoreError::Overloaded) } else { Ok(()) }
    }
}

/// What each replica has to do.
pub struct Load {
    pub writers: u32,
    pub pause: Duration,
    pub things: u32,
}

pub struct Replica {
    runtime: Runtime,
    shutdown: Shutdown,
    is_over: Arc<AtomicBool>,
}

impl Replica {
    /// `broker`: where Kafka is; without one the broker is in memory and confirms at once.
    pub fn start(
        name: &str,
        place: &Place,
        load: &Load,
        broker: Option<&str>,
        journal: &Arc<Journal>,
    ) -> Outcome<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
        let (shutdown, is_over) = (Shutdown::new(), Arc::new(AtomicBool::new(false)));
        runtime
            .block_on(async {
                let env = Env::system();
                let schema = Schema::new("outbox", MIGRATIONS).aggregate::<Thing>();
                let options = Options { writers: LANES, ..Options::new(place.url()) };
                let engine = PostgresEngine::shared(&env, &schema, &options).await;
                let engine = engine.map_err(|error| format!("replica {name}: {error}"))?;
                let executor = Executor::start_lanes("outbox", &env, engine, LANES);
                let inner: Arc<dyn Broker> = match broker {
                    None => Arc::new(MemoryBroker::default()),
                    Some(servers) => {
                        let prefix = format!("bench{}outbox", std::process::id());
                        let kafka = Kafka::new(&env, KafkaConfig::new(servers, prefix));
                        kafka.map_err(|error| format!("replica {name}: {error}"))?
                    }
                };
                let watched = Watched { env: env.clone(), inner, journal: journal.clone() };
                let bus =
                    BrokeredBus::new(env.clone(), Arc::new(watched), executor.clone(), Vec::new());
                bus.start(&shutdown);
                for number in 0..load.writers {
                    let writer = Writer {
                        env: env.clone(),
                        executor: executor.clone(),
                        journal: journal.clone(),
                        is_over: is_over.clone(),
                        pause: load.pause,
                        things: load.things,
                        // Other numbers than those of the other replica.
                        rng: Rng::new((u64::from(number) << 32) | name.len() as u64),
                    };
                    env.spawn("writer", writer.run());
                }
                Ok(())
            })
            .map(|()| Self { runtime, shutdown, is_over })
    }

    pub fn stop_writing(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// As a killed process ends: nothing is finished, connections break.
    pub fn kill(self) {
        self.runtime.shutdown_background();
    }

    pub fn end(self) {
        self.stop_writing();
        self.shutdown.advance(Phase::Stopping);
        self.runtime.shutdown_timeout(Duration::from_secs(2));
    }
}

/// The nth thing, the same for all replicas.
fn id(nth: u32) -> Uuid {
    Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0000 | u128::from(nth))
}

struct Writer {
    env: Env,
    executor: Executor,
    journal: Arc<Journal>,
    is_over: Arc<AtomicBool>,
    pause: Duration,
    things: u32,
    rng: Rng,
}

impl Writer {
    async fn run(mut self) {
        let context = || Context::background(&self.env, "bench", DEADLINE);
        let mut round = 0_u32;
        while !self.is_over.load(Ordering::Relaxed) {
            round += 1;
            let count = 1 + self.rng.below(MOST);
            let mut ids: Vec<Uuid> = (0..count).map(|_| id(self.rng.below(self.things))).collect();
            ids.sort_unstable();
            ids.dedup();
            let refuses = round.is_multiple_of(4);
            match self.executor.execute(&context(), Change { ids, refuses }).await {
                Ok(()) => self.journal.commands.fetch_add(1, Ordering::Relaxed),
                Err(StoreError::Overloaded) => {
                    self.journal.rejected.fetch_add(1, Ordering::Relaxed)
                }
                Err(_) => self.journal.failed.fetch_add(1, Ordering::Relaxed),
            };
            clock::sleep(self.pause).await;
        }
    }
}
