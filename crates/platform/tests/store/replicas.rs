//! Several replicas of a service on one PostgreSQL database, and a server that goes away.

use std::collections::BTreeSet;
use std::sync::{Mutex, mpsc};

use futures_util::future::{join, join_all};
use kernel::id::Uuid;
use platform::event::Envelope;
use platform::executor::{Command, Keys, States};
use platform::idempotency::{Idempotent, SavedResponse};
use platform::store::{Query, StoreError};
use tokio::sync::oneshot;

use crate::contract::key;
use crate::sample::{AddWeight, Bench, Box_, PutBox, Shelf, a_box, no_box};
use crate::server::with_place;

#[tokio::test]
async fn commands_on_one_row_from_two_replicas_lose_no_update() {
    with_place(async |place| {
        let (one, two) = (place.plain().await, place.plain().await);
        let id = one.id();
        one.run(PutBox { id, state: a_box("shared", 0) }).await.unwrap();
        let adds = async |bench: &Bench| {
            join_all((0..100).map(|_| bench.run(AddWeight { id, by: 1, most: 150 }))).await
        };
        let (first, second) = join(adds(&one), adds(&two)).await;
        let taken = first.into_iter().chain(second).flatten().collect::<BTreeSet<_>>();
        assert_eq!(taken, (1..=150).collect::<BTreeSet<_>>());
        let found = two.executor.store().get::<Box_>(id).await.unwrap().unwrap();
        assert_eq!((found.version, found.weight), (151, 150));
        let events = one.executor.store().outbox(1000).await.unwrap();
        let versions: Vec<_> = events.iter().map(|event| event.aggregate_version).collect();
        assert_eq!(versions, (1..=151).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn a_row_that_two_replicas_make_at_once_is_made_once() {
    with_place(async |place| {
        let (one, two) = (place.plain().await, place.plain().await);
        for round in 0..20 {
            let id = one.id();
            let put = async |bench: &Bench| {
                let state = a_box(&format!("round {round}"), 1);
                bench.run(PutBox { id, state }).await
            };
            let (first, second) = join(put(&one), put(&two)).await;
            let versions = BTreeSet::from([first.unwrap(), second.unwrap()]);
            assert_eq!(versions, BTreeSet::from([1, 2]));
        }
    })
    .await;
}

/// Puts a box of weight 1, unless another box has some weight.
struct PutIfNot {
    id: Uuid,
    other: Uuid,
}

impl Command for PutIfNot {
    type Reply = bool;
    type Error = StoreError;
    fn keys(&self, keys: &mut Keys) {
        keys.add::<Box_>(self.id);
        keys.add::<Box_>(self.other);
    }
    fn decide(&self, states: &mut States<'_>, _: kernel::Timestamp) -> Result<bool, StoreError> {
        if states.get::<Box_>(self.other).is_some_and(|other| other.weight > 0) {
            return Ok(false);
        }
        states.put(self.id, a_box(&self.id.to_string(), 1));
        Ok(true)
    }
}

#[tokio::test]
async fn what_is_only_read_stays_as_it_was_until_the_batch_is_written() {
    with_place(async |place| {
        let (one, two) = (place.plain().await, place.plain().await);
        for _ in 0..40 {
            let (left, right) = (one.id(), one.id());
            for id in [left, right] {
                one.run(PutBox { id, state: a_box(&id.to_string(), 0) }).await.unwrap();
            }
            let outcomes = join(
                one.run(PutIfNot { id: left, other: right }),
                two.run(PutIfNot { id: right, other: left }),
            );
            let (first, second) = outcomes.await;
            assert_ne!(first.unwrap(), second.unwrap(), "each saw what the other was about to do");
        }
    })
    .await;
}

/// Adds one, once it is told to go on.
struct Slow {
    id: Uuid,
    begun: Mutex<Option<oneshot::Sender<()>>>,
    goes_on: Mutex<mpsc::Receiver<()>>,
}

impl Command for Slow {
    type Reply = i64;
    type Error = StoreError;
    fn keys(&self, keys: &mut Keys) {
        keys.add::<Box_>(self.id);
    }
    fn decide(&self, states: &mut States<'_>, _: kernel::Timestamp) -> Result<i64, StoreError> {
        if let Some(begun) = self.begun.lock().unwrap().take() {
            begun.send(()).unwrap();
            self.goes_on.lock().unwrap().recv().unwrap();
        }
        let mut state = states.get::<Box_>(self.id).cloned().ok_or_else(no_box)?;
        state.weight += 1;
        let weight = state.weight;
        states.put(self.id, state);
        Ok(weight)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_stopped_while_it_decides_keeps_nobody_waiting_and_decides_again() {
    with_place(async |place| {
        let (one, two) = (place.plain().await, place.plain().await);
        let id = one.id();
        one.run(PutBox { id, state: a_box("wanted", 0) }).await.unwrap();
        let (begun, has_begun) = oneshot::channel();
        let (go_on, goes_on) = mpsc::channel();
        let (begun, goes_on) = (Mutex::new(Some(begun)), Mutex::new(goes_on));
        let slow = one.run(Slow { id, begun, goes_on });
        let quick = async {
            has_begun.await.unwrap();
            for weight in 1..=5 {
                assert_eq!(two.run(AddWeight { id, by: 1, most: 9 }).await, Ok(weight));
            }
            go_on.send(()).unwrap();
        };
        let (last, ()) = join(slow, quick).await;
        assert_eq!(last, Ok(6));
    })
    .await;
}

#[tokio::test]
async fn one_idempotency_key_at_two_replicas_has_one_effect() {
    with_place(async |place| {
        let (one, two) = (place.plain().await, place.plain().await);
        let tries = async |bench: &Bench, from: u32| {
            join_all((0..10).map(|at| {
                let id = bench.id();
                let state = a_box(&format!("{}", from + at), 1);
                let once = Idempotent::render(key("a", "x"), |_: &u64| SavedResponse::empty(201));
                bench.executor.execute_once(&bench.context, Some(once), PutBox { id, state })
            }))
            .await
        };
        let (first, second) = join(tries(&one, 0), tries(&two, 10)).await;
        let outcomes: Vec<_> = first.into_iter().chain(second).collect();
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        let refused = |o: &&Result<_, _>| **o == Err(StoreError::KeyInProgress);
        assert_eq!(outcomes.iter().filter(refused).count(), 19);
        let boxes = one.executor.store().list::<Box_>(Query::new(10)).await.unwrap();
        assert_eq!(boxes.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_unique_value_goes_to_one_of_two_replicas() {
    with_place(async |place| {
        let (one, two) = (place.plain().await, place.plain().await);
        let put = async |bench: &Bench| {
            bench.run(PutBox { id: bench.id(), state: a_box("the one", 1) }).await
        };
        let (first, second) = join(put(&one), put(&two)).await;
        let outcomes = [first, second];
        let taken = StoreError::Unique { table: "box".into(), column: "label".into() };
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Ok(1)).count(), 1);
        assert_eq!(outcomes.iter().filter(|o| **o == Err(taken.clone())).count(), 1);
    })
    .await;
}

/// The effect of an event.
struct Count(Uuid);

impl Command for Count {
    type Reply = ();
    type Error = StoreError;
    fn keys(&self, keys: &mut Keys) {
        keys.add::<Shelf>(self.0);
    }
    fn decide(&self, states: &mut States<'_>, _: kernel::Timestamp) -> Result<(), StoreError> {
        let boxes = states.get::<Shelf>(self.0).map_or(0, |shelf| shelf.boxes) + 1;
        states.put(self.0, Shelf { boxes });
        Ok(())
    }
}

#[tokio::test]
async fn an_event_delivered_to_two_replicas_has_its_effect_once() {
    with_place(async |place| {
        let (one, two) = (place.plain().await, place.plain().await);
        let (thing, counter) = (one.id(), one.id());
        for version in 1..=10 {
            let envelope = Envelope {
                id: one.id(),
                event_type: "mercat.other.Thing.v1".into(),
                source: "other".into(),
                aggregate_type: "thing".into(),
                aggregate_id: thing,
                aggregate_version: version,
                time: one.test.env.now(),
                correlation: "c".into(),
                causation: None,
                traceparent: None,
                data: Vec::new(),
                passed_over: 0,
            };
            let (first, second) = join(
                one.executor.consume("test.counter", &envelope, Count(counter)),
                two.executor.consume("test.counter", &envelope, Count(counter)),
            )
            .await;
            assert_eq!((first, second), (Ok(()), Ok(())));
        }
        let counted = one.executor.store().get::<Shelf>(counter).await.unwrap().unwrap();
        assert_eq!(counted.boxes, 10);
    })
    .await;
}

/// Ends every connection of the service, as a restart of the server does.
const HANG_UP: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE application_name = ";

#[tokio::test]
async fn readers_who_ask_at_once_get_each_their_own_rows() {
    with_place(async |place| {
        let bench = place.plain().await;
        let mut ids = Vec::new();
        for weight in 0..20 {
            ids.push(bench.id());
            let state = a_box(&format!("box {weight}"), weight);
            bench.run(PutBox { id: ids[weight as usize], state }).await.unwrap();
        }
        let store = bench.executor.store();
        let read = async |reader: usize| {
            // Backwards from some place, with one that does not exist.
            let mut asked: Vec<Uuid> =
                (0..=reader % 7).map(|n| ids[(reader * 3 + n) % 20]).collect();
            asked.reverse();
            let there = asked.clone();
            asked.insert(reader % asked.len(), bench.id());
            let found = store.get_many::<Box_>(&asked).await.unwrap();
            assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), there);
            for row in found {
                assert_eq!(ids[row.weight as usize], row.id);
            }
        };
        // Some go while they wait, or while others wait for their statement.
        let impatient = async |reader: usize| {
            let mut read = Box::pin(read(reader));
            let _ = futures_util::poll!(read.as_mut());
        };
        let readers = (0..300).map(async |reader| {
            if reader % 5 == 0 { impatient(reader).await } else { read(reader).await }
        });
        join_all(readers).await;
    })
    .await;
}

#[tokio::test]
async fn who_reads_after_a_commit_sees_it_however_many_read() {
    with_place(async |place| {
        let bench = place.plain().await;
        let id = bench.id();
        bench.run(PutBox { id, state: a_box("watched", 0) }).await.unwrap();
        let add_and_look = async || {
            for _ in 0..10 {
                let weight = bench.run(AddWeight { id, by: 1, most: 1_000 }).await.unwrap();
                let seen = bench.executor.store().get::<Box_>(id).await.unwrap().unwrap();
                assert!(seen.weight >= weight, "{} after {weight}", seen.weight);
            }
        };
        join_all((0..30).map(|_| add_and_look())).await;
    })
    .await;
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced_unnoticed() {
    with_place(async |place| {
        let bench = place.plain_as("sample-idle").await;
        let id = bench.id();
        bench.run(PutBox { id, state: a_box("kept", 1) }).await.unwrap();
        assert!(bench.get(id).await.is_some());
        place.run(format!("{HANG_UP}'sample-idle'")).await;
        assert_eq!(bench.run(AddWeight { id, by: 1, most: 9 }).await, Ok(2));
        place.run(format!("{HANG_UP}'sample-idle'")).await;
        assert_eq!(bench.get(id).await.unwrap().weight, 2);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_up_under_load_loses_nothing_that_was_answered() {
    with_place(async |place| {
        let bench = place.plain_as("sample-busy").await;
        let id = bench.id();
        bench.run(PutBox { id, state: a_box("kept", 0) }).await.unwrap();
        let load = async {
            let (mut done, mut unknown) = (0, 0);
            for _ in 0..30 {
                let adds = (0..10).map(|_| bench.run(AddWeight { id, by: 1, most: 9999 }));
                for outcome in join_all(adds).await {
                    match outcome {
                        Ok(_) => done += 1,
                        Err(StoreError::Unavailable(_)) => unknown += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            (done, unknown)
        };
        let faults = async {
            for _ in 0..5 {
                place.run(format!("{HANG_UP}'sample-busy'")).await;
            }
        };
        let ((done, unknown), ()) = join(load, faults).await;
        assert_eq!(done + unknown, 300);
        bench.run(AddWeight { id, by: 0, most: 9999 }).await.unwrap();
        let weight = bench.get(id).await.unwrap().weight;
        assert!((done..=done + unknown).contains(&weight), "{done} <= {weight} + {unknown}");
    })
    .await;
}
