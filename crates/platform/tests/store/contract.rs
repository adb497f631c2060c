//! What every engine promises of reads, writes, queries and records.

use std::time::Duration;

use kernel::id::Uuid;
use platform::executor::{Command, Keys, States};
use platform::idempotency::{IdempotencyKey, Idempotent, Lookup, SavedResponse};
use platform::store::{Direction, Position, Query, StoreError, Value};

use crate::sample::{AddWeight, Bench, Box_, BoxPut, PutBox, a_box};

on_every_engine!(
    contract::what_is_put_is_read_with_all_its_columns,
    contract::versions_count_every_command,
    contract::unique_columns_refuse_only_the_second,
    contract::null_is_not_equal_to_null,
    contract::a_broken_check_is_a_defect_of_its_own_command,
    contract::lists_filter_sort_and_page_by_key,
    contract::deleted_rows_are_gone_and_free_their_unique_value,
    contract::projections_follow_in_the_same_transaction,
    contract::events_are_numbered_without_gaps_and_read_in_order,
    contract::an_answer_is_kept_with_its_effect,
    contract::answers_are_forgotten_when_told,
    contract::undeclared_tables_are_an_error_not_a_panic,
);

pub async fn what_is_put_is_read_with_all_its_columns(bench: Bench) {
    let (one, two) = (bench.id(), bench.id());
    let odd = Box_ {
        label: Some("Ünï \"quoted\" \u{1F4E6} ' ; --".into()),
        weight: i64::MAX,
        owner: Uuid::max(),
    };
    bench.run(PutBox { id: one, state: odd.clone() }).await.unwrap();
    bench.run(PutBox { id: two, state: a_box("two", 0) }).await.unwrap();
    assert_eq!(bench.get(one).await, Some(odd.clone()));
    let store = bench.executor.store();
    let found = store.by::<Box_>("label", odd.label.as_deref()).await.unwrap().unwrap();
    assert_eq!((found.id, found.version, &found.state), (one, 1, &odd));
    assert!(store.by::<Box_>("label", "ünï").await.unwrap().is_none());
    let many = store.get_many::<Box_>(&[two, Uuid::nil(), one]).await.unwrap();
    assert_eq!(many.iter().map(|found| found.id).collect::<Vec<_>>(), [two, one]);
}

pub async fn versions_count_every_command(bench: Bench) {
    let id = bench.id();
    assert_eq!(bench.run(PutBox { id, state: a_box("a", 1) }).await, Ok(1));
    assert_eq!(bench.run(PutBox { id, state: a_box("a", 2) }).await, Ok(2));
    let adds = (0..50).map(|_| bench.run(AddWeight { id, by: 1, most: 1000 }));
    for sum in futures_util::future::join_all(adds).await {
        sum.unwrap();
    }
    let found = bench.executor.store().get::<Box_>(id).await.unwrap().unwrap();
    assert_eq!((found.version, found.weight), (52, 52));
}

pub async fn unique_columns_refuse_only_the_second(bench: Bench) {
    let (first, second, other) = (bench.id(), bench.id(), bench.id());
    bench.run(PutBox { id: first, state: a_box("taken", 1) }).await.unwrap();
    let (refused, fine) = futures_util::join!(
        bench.run(PutBox { id: second, state: a_box("taken", 2) }),
        bench.run(PutBox { id: other, state: a_box("free", 3) }),
    );
    let taken = StoreError::Unique { table: "box".into(), column: "label".into() };
    assert_eq!((refused, fine), (Err(taken), Ok(1)));
    assert_eq!(bench.get(second).await, None);
    assert_eq!(bench.get(other).await, Some(a_box("free", 3)));
    // The holder itself may be written again.
    assert_eq!(bench.run(PutBox { id: first, state: a_box("taken", 9) }).await, Ok(2));
}

pub async fn null_is_not_equal_to_null(bench: Bench) {
    for _ in 0..2 {
        let nameless = Box_ { label: None, ..a_box("", 1) };
        bench.run(PutBox { id: bench.id(), state: nameless }).await.unwrap();
    }
    let query = Query::new(10).eq("label", Value::Null);
    assert!(bench.executor.store().list::<Box_>(query).await.unwrap().is_empty());
}

pub async fn a_broken_check_is_a_defect_of_its_own_command(bench: Bench) {
    // The memory engine has no CHECK; there the neighbour simply succeeds as well.
    let (bad, good) = (bench.id(), bench.id());
    let (_, fine) = futures_util::join!(
        bench.run(PutBox { id: bad, state: a_box("bad", -1) }),
        bench.run(PutBox { id: good, state: a_box("good", 1) }),
    );
    assert_eq!(fine, Ok(1));
    assert_eq!(bench.get(good).await, Some(a_box("good", 1)));
}

pub async fn lists_filter_sort_and_page_by_key(bench: Bench) {
    let weights = [5, 3, 3, 9, 1, 3, 7];
    for (at, weight) in weights.into_iter().enumerate() {
        let mut state = a_box(&format!("box {at}"), weight);
        state.owner = Uuid::from_u128(at as u128 % 2);
        bench.run(PutBox { id: bench.id(), state }).await.unwrap();
    }
    for direction in [Direction::Ascending, Direction::Descending] {
        let mut seen = Vec::new();
        let mut after: Option<Position> = None;
        loop {
            let mut query =
                Query::new(2).ge("weight", 3_i64).lt("weight", 9_i64).order("weight", direction);
            query.after = after;
            let page = bench.executor.store().list::<Box_>(query).await.unwrap();
            seen.extend(page.iter().map(|found| found.weight));
            let Some(last) = page.last() else { break };
            let position = Position { value: last.weight.into(), id: last.id };
            after = Position::decode(&position.encode());
            assert!(after.is_some());
        }
        let mut expected = vec![3, 3, 3, 5, 7];
        if direction == Direction::Descending {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
    let odd = Query::new(10).eq("owner", Uuid::from_u128(1));
    assert_eq!(bench.executor.store().list::<Box_>(odd).await.unwrap().len(), 3);
    assert_eq!(Position::decode("not a cursor"), None);
}

struct Remove(Uuid);

impl Command for Remove {
    type Reply = ();
    type Error = StoreError;
    fn keys(&self, keys: &mut Keys) {
        keys.add::<Box_>(self.0);
    }
    fn decide(&self, states: &mut States<'_>, _: kernel::Timestamp) -> Result<(), StoreError> {
        states.delete::<Box_>(self.0);
        assert_eq!(states.version::<Box_>(self.0), 0);
        assert!(states.get::<Box_>(self.0).is_none());
        Ok(())
    }
}

pub async fn deleted_rows_are_gone_and_free_their_unique_value(bench: Bench) {
    let (old, new) = (bench.id(), bench.id());
    bench.run(PutBox { id: old, state: a_box("x", 500) }).await.unwrap();
    bench.run(Remove(old)).await.unwrap();
    assert_eq!(bench.get(old).await, None);
    assert!(bench.heavy().await.is_empty());
    assert_eq!(bench.run(PutBox { id: new, state: a_box("x", 1) }).await, Ok(1));
    // Deleting what is not there is no error.
    bench.run(Remove(old)).await.unwrap();
}

pub async fn projections_follow_in_the_same_transaction(bench: Bench) {
    let id = bench.id();
    bench.run(PutBox { id, state: a_box("h", 101) }).await.unwrap();
    assert_eq!(bench.heavy().await, [id]);
    bench.run(PutBox { id, state: a_box("h", 100) }).await.unwrap();
    assert!(bench.heavy().await.is_empty());
    // A rejected command leaves no trace in the projection either.
    bench.run(AddWeight { id, by: 50, most: 120 }).await.unwrap_err();
    assert!(bench.heavy().await.is_empty());
}

pub async fn events_are_numbered_without_gaps_and_read_in_order(bench: Bench) {
    let (one, two) = (bench.id(), bench.id());
    bench.run(PutBox { id: one, state: a_box("1", 1) }).await.unwrap();
    bench.run(AddWeight { id: one, by: 99, most: 50 }).await.unwrap_err();
    bench.run(PutBox { id: two, state: a_box("2", 2) }).await.unwrap();
    bench.run(AddWeight { id: one, by: 1, most: 50 }).await.unwrap();
    let events = bench.executor.store().outbox(10).await.unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            let put = event.decode::<BoxPut>().unwrap().unwrap();
            (event.aggregate_id, event.aggregate_version, put.weight)
        })
        .collect();
    assert_eq!(told, [(one, 1, 1), (two, 1, 2), (one, 2, 2)]);
    assert!(events.iter().all(|event| event.source == "sample" && event.aggregate_type == "box"));
    assert!(events.iter().all(|event| event.correlation == bench.context.correlation));
    assert_eq!(bench.executor.store().outbox(1).await.unwrap().len(), 1);
}

pub fn key(owner: &str, body: &str) -> IdempotencyKey {
    IdempotencyKey {
        owner: owner.into(),
        route: "POST /v1/boxes".into(),
        key: "k-1".into(),
        fingerprint: body.into(),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a renderer gets the reply by reference")]
fn render(version: &u64) -> SavedResponse {
    SavedResponse::json(201, version).header("etag", format!("\"{version}\""))
}

pub async fn an_answer_is_kept_with_its_effect(bench: Bench) {
    let store = bench.executor.store();
    let once = |key| Some(Idempotent::render(key, render));
    let put = |label: &str| PutBox { id: bench.id(), state: a_box(label, 1) };
    assert_eq!(store.saved_response(&key("a", "x")).await, Ok(Lookup::New));
    bench.executor.execute_once(&bench.context, once(key("a", "x")), put("1")).await.unwrap();
    let saved = Lookup::Saved(SavedResponse {
        status: 201,
        headers: vec![("etag".into(), "\"1\"".into())],
        body: b"1".to_vec(),
    });
    assert_eq!(store.saved_response(&key("a", "x")).await, Ok(saved));
    assert_eq!(store.saved_response(&key("a", "other body")).await, Ok(Lookup::Mismatch));
    assert_eq!(store.saved_response(&key("b", "x")).await, Ok(Lookup::New));
    let again = bench.executor.execute_once(&bench.context, once(key("a", "x")), put("2")).await;
    assert_eq!(again, Err(StoreError::KeyInProgress));
    let other = bench.executor.execute_once(&bench.context, once(key("a", "y")), put("3")).await;
    assert_eq!(other, Err(StoreError::KeyReused));
    // A rejection keeps no answer: the next try may go well.
    let taken = bench.executor.execute_once(&bench.context, once(key("c", "x")), put("1")).await;
    assert!(matches!(taken, Err(StoreError::Unique { .. })));
    assert_eq!(store.saved_response(&key("c", "x")).await, Ok(Lookup::New));
    // Begun only: it runs until a later command finishes it.
    let begun = Some(Idempotent::begin(key("d", "x")));
    bench.executor.execute_once(&bench.context, begun, put("4")).await.unwrap();
    assert_eq!(store.saved_response(&key("d", "x")).await, Ok(Lookup::Running));
    bench.run(Finish(key("d", "x"))).await.unwrap();
    let finished = Lookup::Saved(SavedResponse::empty(204));
    assert_eq!(store.saved_response(&key("d", "x")).await, Ok(finished));
}

struct Finish(IdempotencyKey);

impl Command for Finish {
    type Reply = ();
    type Error = StoreError;
    fn keys(&self, _: &mut Keys) {}
    fn decide(&self, states: &mut States<'_>, _: kernel::Timestamp) -> Result<(), StoreError> {
        states.finish(&self.0, SavedResponse::empty(204));
        Ok(())
    }
}

pub async fn answers_are_forgotten_when_told(bench: Bench) {
    let once = Some(Idempotent::render(key("a", "x"), render));
    let put = PutBox { id: bench.id(), state: a_box("1", 1) };
    bench.executor.execute_once(&bench.context, once, put).await.unwrap();
    let before = bench.test.env.now();
    bench.executor.forget_answers_before(before).await.unwrap();
    let lookup = bench.executor.store().saved_response(&key("a", "x")).await.unwrap();
    assert!(matches!(lookup, Lookup::Saved(_)));
    bench.test.advance(Duration::from_secs(1));
    bench.executor.forget_answers_before(bench.test.env.now()).await.unwrap();
    assert_eq!(bench.executor.store().saved_response(&key("a", "x")).await, Ok(Lookup::New));
}

pub async fn undeclared_tables_are_an_error_not_a_panic(bench: Bench) {
    let query = Query::new(1).eq("no_such_column", 1_i64);
    assert!(bench.executor.store().list::<Box_>(query).await.is_err());
}
