//! What the executor promises of batches.

use futures_util::future::join_all;
use kernel::Timestamp;
use kernel::id::Uuid;
use platform::event::Envelope;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;
use platform::store::StoreError;

use crate::contract::key;
use crate::sample::{AddWeight, Bench, Box_, PutBox, Shelf, a_box, no_box};

on_every_engine!(
    executor::a_rejection_leaves_nothing_behind_and_its_neighbours_alone,
    executor::a_hundred_commands_on_one_row_never_pass_the_limit,
    executor::a_refused_batch_is_split_until_only_the_culprit_pays,
    executor::a_panicking_decision_harms_nobody_else,
    executor::a_state_that_cannot_be_encoded_harms_nobody_else,
    executor::one_key_at_once_fifty_times_has_one_effect,
    executor::several_aggregates_change_together,
    executor::an_event_has_its_effect_once_and_in_order,
    executor::a_command_past_its_deadline_is_not_taken_up,
);

pub async fn a_rejection_leaves_nothing_behind_and_its_neighbours_alone(bench: Bench) {
    let id = bench.id();
    bench.run(PutBox { id, state: a_box("a", 0) }).await.unwrap();
    let adds = (1..=20)
        .map(|at| bench.run(AddWeight { id, by: if at % 2 == 0 { 1 } else { 999 }, most: 500 }));
    let outcomes = join_all(adds).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 10);
    assert_eq!(bench.get(id).await.unwrap().weight, 10);
    assert_eq!(bench.executor.store().outbox(100).await.unwrap().len(), 11);
}

pub async fn a_hundred_commands_on_one_row_never_pass_the_limit(bench: Bench) {
    let id = bench.id();
    bench.run(PutBox { id, state: a_box("stock", 0) }).await.unwrap();
    let adds = (0..300).map(|_| bench.run(AddWeight { id, by: 1, most: 64 }));
    let taken = join_all(adds).await.into_iter().flatten().count();
    assert_eq!((taken, bench.get(id).await.unwrap().weight), (64, 64));
}

pub async fn a_refused_batch_is_split_until_only_the_culprit_pays(bench: Bench) {
    let ids: Vec<Uuid> = (0..40).map(|_| bench.id()).collect();
    // Every fourth wants the same label.
    let label =
        |at: usize| if at.is_multiple_of(4) { "same".to_owned() } else { format!("box {at}") };
    let puts = ids
        .iter()
        .enumerate()
        .map(|(at, id)| bench.run(PutBox { id: *id, state: a_box(&label(at), 1) }));
    let outcomes = join_all(puts).await;
    let refused = outcomes.iter().filter(|o| matches!(o, Err(StoreError::Unique { .. }))).count();
    assert_eq!((refused, outcomes.iter().filter(|o| o.is_ok()).count()), (9, 31));
    // In arrival order the first of them wins.
    assert!(outcomes[0].is_ok());
    assert_eq!(bench.executor.store().outbox(100).await.unwrap().len(), 31);
}

struct Panics(Uuid);

impl Command for Panics {
    type Reply = ();
    type Error = StoreError;
    fn keys(&self, keys: &mut Keys) {
        keys.add::<Box_>(self.0);
    }
    fn decide(&self, states: &mut States<'_>, _: Timestamp) -> Result<(), StoreError> {
        states.put(self.0, a_box("half done", 1));
        panic!("a defect");
    }
}

pub async fn a_panicking_decision_harms_nobody_else(bench: Bench) {
    let (bad, good) = (bench.id(), bench.id());
    let (failed, fine) = futures_util::join!(
        bench.run(Panics(bad)),
        bench.run(PutBox { id: good, state: a_box("good", 1) }),
    );
    assert!(matches!(failed, Err(StoreError::Corrupt(_))));
    assert_eq!(fine, Ok(1));
    assert_eq!(bench.get(bad).await, None);
}

pub async fn a_state_that_cannot_be_encoded_harms_nobody_else(bench: Bench) {
    let (bad, good) = (bench.id(), bench.id());
    let (failed, fine) = futures_util::join!(
        bench.run(PutBox { id: bad, state: a_box("explodes", 1) }),
        bench.run(PutBox { id: good, state: a_box("good", 1) }),
    );
    assert!(matches!(failed, Err(StoreError::Corrupt(_))));
    assert_eq!(fine, Ok(1));
    assert_eq!(bench.run(PutBox { id: good, state: a_box("good", 2) }).await, Ok(2));
}

pub async fn one_key_at_once_fifty_times_has_one_effect(bench: Bench) {
    let id = bench.id();
    bench.run(PutBox { id, state: a_box("a", 0) }).await.unwrap();
    let render = |_: &i64| platform::idempotency::SavedResponse::empty(200);
    let adds = (0..50).map(|_| {
        let once = Some(Idempotent::render(key("a", "x"), render));
        bench.executor.execute_once(&bench.context, once, AddWeight { id, by: 1, most: 99 })
    });
    let outcomes = join_all(adds).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let running = |o: &&Result<_, _>| **o == Err(StoreError::KeyInProgress);
    assert_eq!(outcomes.iter().filter(running).count(), 49);
    assert_eq!(bench.get(id).await.unwrap().weight, 1);
}

/// Puts a box on a shelf: two aggregate types in one command.
struct Shelve {
    shelf: Uuid,
    id: Uuid,
    label: String,
    room: u32,
}

impl Command for Shelve {
    type Reply = u32;
    type Error = StoreError;
    fn keys(&self, keys: &mut Keys) {
        keys.add::<Shelf>(self.shelf);
        keys.add::<Box_>(self.id);
    }
    fn decide(&self, states: &mut States<'_>, _: Timestamp) -> Result<u32, StoreError> {
        let boxes = states.get::<Shelf>(self.shelf).map_or(0, |shelf| shelf.boxes) + 1;
        states.put(self.id, a_box(&self.label, 1));
        states.put(self.shelf, Shelf { boxes });
        if boxes > self.room { Err(no_box()) } else { Ok(boxes) }
    }
}

pub async fn several_aggregates_change_together(bench: Bench) {
    let shelf = bench.id();
    let puts = (0..12)
        .map(|at| bench.run(Shelve { shelf, id: bench.id(), label: format!("{at}"), room: 10 }));
    let mut places: Vec<_> = join_all(puts).await.into_iter().flatten().collect();
    places.sort_unstable();
    assert_eq!(places, (1..=10).collect::<Vec<_>>());
    let found = bench.executor.store().get::<Shelf>(shelf).await.unwrap().unwrap();
    assert_eq!(found.state, Shelf { boxes: 10 });
    let all = platform::store::Query::new(50);
    assert_eq!(bench.executor.store().list::<Box_>(all).await.unwrap().len(), 10);
}

/// The effect of an event: one more.
struct Count(Uuid);

impl Command for Count {
    type Reply = ();
    type Error = StoreError;
    fn keys(&self, keys: &mut Keys) {
        keys.add::<Shelf>(self.0);
    }
    fn decide(&self, states: &mut States<'_>, _: Timestamp) -> Result<(), StoreError> {
        let boxes = states.get::<Shelf>(self.0).map_or(0, |shelf| shelf.boxes) + 1;
        states.put(self.0, Shelf { boxes });
        Ok(())
    }
}

fn event(bench: &Bench, aggregate: Uuid, version: u64) -> Envelope {
    Envelope {
        id: bench.id(),
        event_type: "mercat.other.Thing.v1".into(),
        source: "other".into(),
        aggregate_type: "thing".into(),
        aggregate_id: aggregate,
        aggregate_version: version,
        time: bench.test.env.now(),
        correlation: "c".into(),
        causation: None,
        traceparent: None,
        data: Vec::new(),
        passed_over: 0,
    }
}

pub async fn an_event_has_its_effect_once_and_in_order(bench: Bench) {
    let (thing, counter) = (bench.id(), bench.id());
    let consume = async |version| {
        let envelope = event(&bench, thing, version);
        bench.executor.consume("test.counter", &envelope, Count(counter)).await
    };
    assert_eq!(consume(2).await, Err(StoreError::Gap { after: 0 }));
    assert_eq!(consume(1).await, Ok(()));
    assert_eq!(consume(1).await, Ok(()));
    assert_eq!(consume(3).await, Err(StoreError::Gap { after: 1 }));
    let both = futures_util::join!(consume(2), consume(2));
    assert_eq!(both, (Ok(()), Ok(())));
    let envelope = event(&bench, thing, 3);
    bench.executor.consume_nothing("test.counter", &envelope).await.unwrap();
    assert_eq!(consume(4).await, Ok(()));
    let counted = bench.executor.store().get::<Shelf>(counter).await.unwrap().unwrap();
    assert_eq!(counted.boxes, 3);
    // Another consumer keeps its own place.
    bench.executor.consume("test.other", &event(&bench, thing, 1), Count(counter)).await.unwrap();
    let counted = bench.executor.store().get::<Shelf>(counter).await.unwrap().unwrap();
    assert_eq!(counted.boxes, 4);
}

pub async fn a_command_past_its_deadline_is_not_taken_up(bench: Bench) {
    let second = std::time::Duration::from_secs(1);
    let context = bench.context.with_timeout(&bench.test.env, second);
    bench.test.advance(second);
    let put = PutBox { id: bench.id(), state: a_box("late", 1) };
    let late = bench.executor.execute(&context, put).await;
    assert_eq!(late, Err(StoreError::DeadlineExceeded));
}
