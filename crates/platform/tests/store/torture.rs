//! The outbox of two replicas under torture: many writers, transactions of random length, rejected
//! ones, a long transaction of a foreign database, leases that are lost in between, a broker that
//! comes and goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::{join, join_all};
use kernel::Timestamp;
use kernel::id::Uuid;
use platform::bus::BrokeredBus;
use platform::bus::memory::MemoryBroker;
use platform::executor::{Command, Keys, States};
use platform::shutdown::Shutdown;
use platform::store::StoreError;
use platform::store::postgres::sqlx::{self, Connection as _};

use crate::sample::{Bench, Box_, BoxPut, a_box};
use crate::server::{Place, with_place};

const WRITERS: u64 = 64;
const ROUNDS: u64 = 12;
const BOXES: usize = 40;

/// Makes or changes several boxes, each with an event or two; or refuses at the end.
struct Shuffle {
    ids: Vec<Uuid>,
    refuses: bool,
}

impl Command for Shuffle {
    type Reply = usize;
    type Error = StoreError;
    fn keys(&self, keys: &mut Keys) {
        for id in &self.ids {
            keys.add::<Box_>(*id);
        }
    }
    fn decide(&self, states: &mut States<'_>, _: Timestamp) -> Result<usize, StoreError> {
        let mut told = 0;
        for id in &self.ids {
            let mut state =
                states.get::<Box_>(*id).cloned().unwrap_or_else(|| a_box(&id.to_string(), 0));
            state.weight += 1;
            let weight = state.weight;
            states.put(*id, state);
            for _ in 0..=(weight % 2) {
                states.emit::<Box_, _>(*id, &BoxPut { weight });
                told += 1;
            }
        }
        if self.refuses { Err(StoreError::Overloaded) } else { Ok(told) }
    }
}

/// How many events its commands told of.
async fn write(bench: &Bench, writer: u64, ids: &[Uuid]) -> usize {
    let mut told = 0;
    for round in 0..ROUNDS {
        let mut dice = bench.test.env.random::<8>();
        dice[0] = dice[0].wrapping_add(writer as u8);
        let length = 1 + usize::from(dice[0]) % 12;
        let first = usize::from(dice[1]);
        let mut ids: Vec<Uuid> = (0..length).map(|at| ids[(first + at * 7) % ids.len()]).collect();
        ids.sort_unstable();
        ids.dedup();
        let refuses = round % 4 == 3;
        match bench.run(Shuffle { ids, refuses }).await {
            Ok(events) => told += events,
            Err(StoreError::Overloaded) if refuses => {}
            Err(error) => panic!("{error}"),
        }
    }
    told
}

fn relay(bench: &Bench, broker: &MemoryBroker) -> Shutdown {
    let (env, executor) = (bench.test.env.clone(), bench.executor.clone());
    let bus = BrokeredBus::new(env, Arc::new(broker.clone()), executor, Vec::new());
    let shutdown = Shutdown::new();
    bus.start(&shutdown);
    shutdown
}

/// Leases change hands, and the broker goes and comes, until the writers have ended.
async fn faults(
    place: &Place,
    broker: &MemoryBroker,
    writers: impl Future<Output = usize>,
) -> usize {
    let mut writers = std::pin::pin!(writers);
    let mut connection = place.connect().await;
    loop {
        let trouble = async {
            for is_down in [true, false] {
                broker.set_down(is_down);
                // As if the owners had been away for longer than their leases.
                let lose = "UPDATE relay_lease SET owner = NULL, until = 0 WHERE shard % 3 = $1";
                let third = i64::from(place.test.env.random::<1>()[0] % 3);
                sqlx::query(lose).bind(third).execute(&mut connection).await.unwrap();
                place.test.env.sleep(std::time::Duration::from_millis(150)).await;
            }
        };
        tokio::select! {
            told = &mut writers => {
                broker.set_down(false);
                return told;
            }
            () = trouble => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_each_aggregate_keeps_its_order_whatever_happens_to_the_relays() {
    with_place(async |place| {
        let (one, two) = (place.plain().await, place.plain().await);
        let broker = MemoryBroker::default();
        let ends = [relay(&one, &broker), relay(&two, &broker)];
        // A transaction id horizon would wait for this one.
        let mut foreign = place.connect().await;
        let mut open = foreign.begin().await.unwrap();
        sqlx::raw_sql("CREATE TABLE foreign_work (id BIGINT)").execute(&mut *open).await.unwrap();

        let ids: Vec<Uuid> = (0..BOXES).map(|_| one.id()).collect();
        let half = |bench: &Bench, from: u64| {
            let bench = bench.clone();
            let ids = ids.clone();
            async move {
                let writers = (from..from + WRITERS / 2).map(|writer| write(&bench, writer, &ids));
                join_all(writers).await.into_iter().sum::<usize>()
            }
        };
        let writers = async {
            let (first, second) = join(half(&one, 0), half(&two, WRITERS / 2)).await;
            first + second
        };
        let told = faults(place, &broker, writers).await;

        // All of it goes out while the foreign transaction is still open.
        while !one.executor.store().outbox(1).await.unwrap().is_empty() {
            place.test.env.sleep(std::time::Duration::from_millis(20)).await;
        }
        open.rollback().await.unwrap();
        for end in &ends {
            end.advance(platform::shutdown::Phase::Stopping);
        }

        let mut versions: BTreeMap<Uuid, u64> = BTreeMap::new();
        for event in broker.published("sample") {
            let last = versions.entry(event.aggregate_id).or_default();
            // Twice is fine, the inbox makes nothing of it; too early is not.
            assert!(event.aggregate_version <= *last + 1, "{event:?} after {last}");
            *last = event.aggregate_version.max(*last);
        }
        assert_eq!(versions.values().sum::<u64>(), told as u64, "every event that was committed");
    })
    .await;
}
