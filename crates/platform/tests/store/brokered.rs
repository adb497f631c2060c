//! Outbox, broker, inbox: what holds whichever broker carries the events. The broker in memory shows
//! what the bus makes of reordering, repetition and outages; the suite of the real ones shows that
//! they carry.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::id::Uuid;
use platform::bus::broker::Broker as _;
use platform::bus::memory::MemoryBroker;
use platform::bus::{BrokeredBus, replay, skip};
use platform::event::{Envelope, Event};
use platform::shutdown::Shutdown;
use prost::Message as _;

use crate::local_bus::{Mirror, stop};
use crate::sample::{AddWeight, Bench, BoxPut, PutBox, a_box};

on_every_engine!(
    brokered::what_is_published_has_its_effect_once_and_in_order,
    brokered::what_is_committed_while_the_broker_is_away_comes_later,
    brokered::repeated_and_reordered_events_have_their_effect_once_and_in_order,
    brokered::a_young_consumer_begins_with_the_first_event_that_the_broker_kept,
    brokered::events_that_are_lost_to_an_old_database_park_their_key,
    brokered::what_was_handled_or_given_up_is_not_parked_when_it_comes_again,
    brokered::a_consumer_that_was_away_goes_on_where_it_was,
);

fn start(bench: &Bench, broker: &MemoryBroker, mirror: &Arc<Mirror>) -> (BrokeredBus, Shutdown) {
    let bus = BrokeredBus::new(
        bench.test.env.clone(),
        Arc::new(broker.clone()),
        bench.executor.clone(),
        vec![mirror.subscription()],
    );
    let shutdown = Shutdown::new();
    bus.start(&shutdown);
    (bus, shutdown)
}

async fn until_parked(bench: &Bench, count: usize) {
    while bench.executor.store().parked(None).await.unwrap().len() < count {
        bench.test.advance(Duration::from_millis(100));
        tokio::task::yield_now().await;
    }
}

pub async fn what_is_published_has_its_effect_once_and_in_order(bench: Bench) {
    let broker = MemoryBroker::default();
    let mirror = Mirror::new(&bench, "test.mirror", Uuid::nil());
    let (bus, _shutdown) = start(&bench, &broker, &mirror);
    let ids: Vec<Uuid> = (0..20).map(|_| bench.id()).collect();
    for (at, id) in ids.iter().enumerate() {
        bench.run(PutBox { id: *id, state: a_box(&format!("{at}"), 0) }).await.unwrap();
    }
    for _ in 0..5 {
        let adds = ids.iter().map(|id| bench.run(AddWeight { id: *id, by: 1, most: 99 }));
        futures_util::future::join_all(adds).await;
    }
    mirror.until_handled(120).await;
    bus.caught_up().await;
    for id in ids {
        assert_eq!(bench.get(mirror.copy_of(id)).await.unwrap().weight, 5);
    }
    assert_eq!(mirror.handled.load(Ordering::SeqCst), 120);
}

pub async fn what_is_committed_while_the_broker_is_away_comes_later(bench: Bench) {
    let broker = MemoryBroker::default();
    broker.set_down(true);
    let mirror = Mirror::new(&bench, "test.mirror", Uuid::nil());
    let (_bus, _shutdown) = start(&bench, &broker, &mirror);
    let id = bench.id();
    bench.run(PutBox { id, state: a_box("kept", 0) }).await.unwrap();
    for _ in 0..9 {
        bench.run(AddWeight { id, by: 1, most: 99 }).await.unwrap();
    }
    assert_eq!(bench.executor.store().outbox(99).await.unwrap().len(), 10);
    broker.set_down(false);
    mirror.until_handled(10).await;
    assert_eq!(bench.get(mirror.copy_of(id)).await.unwrap().weight, 9);
}

/// The events of a box that somebody else published.
fn events(bench: &Bench, id: Uuid, versions: &[u64]) -> Vec<Envelope> {
    let event = |version: &u64| Envelope {
        id: bench.id(),
        event_type: BoxPut::TYPE.to_owned(),
        source: "sample".to_owned(),
        aggregate_type: "box".to_owned(),
        aggregate_id: id,
        aggregate_version: *version,
        time: bench.test.env.now(),
        correlation: "c".into(),
        causation: None,
        traceparent: None,
        data: BoxPut { weight: *version as i64 }.encode_to_vec(),
        passed_over: 0,
    };
    versions.iter().map(event).collect()
}

async fn publish(broker: &MemoryBroker, events: &[Envelope]) {
    let publisher = broker.publisher("sample").await.unwrap();
    for event in events {
        publisher.publish(event).await.unwrap();
    }
}

/// A box that the mirror copies, without an event of its own.
async fn known(bench: &Bench) -> Uuid {
    let id = bench.id();
    bench.run(PutBox { id, state: a_box(&id.to_string(), 0) }).await.unwrap();
    // What the bench wrote is nothing to the broker of this test.
    let waiting = bench.executor.store().outbox(99).await.unwrap();
    assert_eq!(waiting.len(), 1);
    let (bus, shutdown) = {
        let nobody = MemoryBroker::default();
        let bus = BrokeredBus::new(
            bench.test.env.clone(),
            Arc::new(nobody),
            bench.executor.clone(),
            Vec::new(),
        );
        let shutdown = Shutdown::new();
        bus.start(&shutdown);
        (bus, shutdown)
    };
    while !bench.executor.store().outbox(1).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    stop(&shutdown).await;
    drop(bus);
    id
}

pub async fn repeated_and_reordered_events_have_their_effect_once_and_in_order(bench: Bench) {
    let id = known(&bench).await;
    let broker = MemoryBroker::default();
    let mirror = Mirror::new(&bench, "test.mirror", Uuid::nil());
    publish(&broker, &events(&bench, id, &[2, 1, 1, 3, 2, 5, 3, 4, 5, 1, 6])).await;
    let (_bus, _shutdown) = start(&bench, &broker, &mirror);
    while mirror.seen().last() != Some(&6) {
        tokio::task::yield_now().await;
    }
    assert!(bench.executor.store().parked(None).await.unwrap().is_empty());
    assert_eq!(mirror.seen(), [1, 2, 3, 4, 5, 6]);
}

pub async fn a_young_consumer_begins_with_the_first_event_that_the_broker_kept(bench: Bench) {
    let id = known(&bench).await;
    let broker = MemoryBroker::default();
    let mirror = Mirror::new(&bench, "test.mirror", Uuid::nil());
    publish(&broker, &events(&bench, id, &[7, 8])).await;
    let (_bus, _shutdown) = start(&bench, &broker, &mirror);
    while mirror.seen().last() != Some(&8) {
        bench.test.advance(Duration::from_millis(100));
        tokio::task::yield_now().await;
    }
    assert_eq!(mirror.seen(), [7, 8]);
}

pub async fn events_that_are_lost_to_an_old_database_park_their_key(bench: Bench) {
    let id = known(&bench).await;
    let broker = MemoryBroker::default();
    let mirror = Mirror::new(&bench, "test.mirror", Uuid::nil());
    publish(&broker, &events(&bench, id, &[1, 4, 5])).await;
    let (bus, _shutdown) = start(&bench, &broker, &mirror);
    until_parked(&bench, 2).await;
    let parked = bench.executor.store().parked(None).await.unwrap();
    assert!(parked[0].error.starts_with("events 2 to 3 of the aggregate never came"), "{parked:?}");
    assert_eq!(mirror.seen(), [1]);
    // The operator decides that it goes on without them.
    let subscription = bus.subscriptions()[0].clone();
    assert!(skip(&subscription, parked[0].envelope.id).await.unwrap());
    assert_eq!(replay(&subscription, id).await.unwrap(), 1);
    assert_eq!(mirror.seen(), [1, 5]);
}

/// A broker gives again whatever was done with shortly before its consumer died.
pub async fn what_was_handled_or_given_up_is_not_parked_when_it_comes_again(bench: Bench) {
    let id = known(&bench).await;
    let broker = MemoryBroker::default();
    let mirror = Mirror::new(&bench, "test.mirror", id);
    let told = events(&bench, id, &[1, 2]);
    publish(&broker, &told[..1]).await;
    let (bus, _shutdown) = start(&bench, &broker, &mirror);
    until_parked(&bench, 1).await;
    let subscription = bus.subscriptions()[0].clone();
    assert!(skip(&subscription, told[0].id).await.unwrap());
    // Its handler is as it was, and still fails at it.
    publish(&broker, &told[..1]).await;
    bus.caught_up().await;
    assert!(bench.executor.store().parked(None).await.unwrap().is_empty());
    // The next one is parked, and the first does not queue up behind it.
    publish(&broker, &told[1..]).await;
    until_parked(&bench, 1).await;
    publish(&broker, &told).await;
    bus.caught_up().await;
    let parked = bench.executor.store().parked(None).await.unwrap();
    assert_eq!(parked.iter().map(|parked| parked.envelope.id).collect::<Vec<_>>(), [told[1].id]);
}

pub async fn a_consumer_that_was_away_goes_on_where_it_was(bench: Bench) {
    let id = known(&bench).await;
    let broker = MemoryBroker::default();
    let mirror = Mirror::new(&bench, "test.mirror", Uuid::nil());
    publish(&broker, &events(&bench, id, &[1, 2])).await;
    let (_bus, shutdown) = start(&bench, &broker, &mirror);
    mirror.until_handled(2).await;
    stop(&shutdown).await;
    publish(&broker, &events(&bench, id, &[3, 4])).await;
    let (bus, _shutdown) = start(&bench, &broker, &mirror);
    mirror.until_handled(4).await;
    bus.caught_up().await;
    assert_eq!(mirror.seen(), [1, 2, 3, 4]);
}
