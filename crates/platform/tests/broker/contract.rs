//! What any broker does while nothing goes wrong.

use std::collections::HashMap;

use futures_util::future::join_all;
use kernel::id::Uuid;
use platform::event::Envelope;

use crate::bench::{Bench, CONSUMER, PARTITIONS, SOURCE};

pub const CONSUMERS: [&str; 2] = [CONSUMER, "payment.orders"];

pub async fn every_field_of_an_envelope_arrives(bench: &Bench) {
    let broker = bench.broker();
    let publisher = broker.publisher(SOURCE).await.unwrap();
    let plain = bench.event(bench.env.uuid(), 1);
    let full = Envelope {
        causation: Some(bench.env.uuid()),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        correlation: "Straße \u{1f6d2}".into(),
        aggregate_version: u64::MAX,
        data: (0..=255).cycle().take(100_000).collect(),
        ..bench.event(plain.aggregate_id, 1)
    };
    let empty = Envelope { data: Vec::new(), ..bench.event(plain.aggregate_id, 7) };
    let mut inbound = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    for event in [plain, full, empty] {
        publisher.publish(&event).await.unwrap();
        let incoming = bench.next(&mut inbound).await;
        assert_eq!(*incoming.envelope, event);
        inbound.done(incoming.token);
    }
}

pub async fn events_of_an_aggregate_come_in_order_among_many(bench: &Bench) {
    const AGGREGATES: usize = 24;
    const VERSIONS: u64 = 25;
    let broker = bench.broker();
    let publisher = broker.publisher(SOURCE).await.unwrap();
    let mut inbound = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    let histories = (0..AGGREGATES).map(|_| {
        let (id, publisher) = (bench.env.uuid(), &publisher);
        async move {
            for version in 1..=VERSIONS {
                publisher.publish(&bench.event(id, version)).await.unwrap();
            }
        }
    });
    join_all(histories).await;
    let mut seen: HashMap<Uuid, u64> = HashMap::new();
    for _ in 0..AGGREGATES * VERSIONS as usize {
        let incoming = bench.next(&mut inbound).await;
        let last = seen.entry(incoming.envelope.aggregate_id).or_default();
        assert_eq!(incoming.envelope.aggregate_version, *last + 1);
        *last += 1;
        inbound.done(incoming.token);
    }
    assert_eq!(seen.len(), AGGREGATES);
    assert!(seen.values().all(|last| *last == VERSIONS));
}

pub async fn what_was_not_done_comes_again(bench: &Bench) {
    let broker = bench.broker();
    let mut first = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    let mut wanted = ids(&bench.publish(&broker, 12).await);
    bench.take(&mut first, 12).await;
    drop(first);
    let mut second = bench.broker().subscribe(CONSUMER, SOURCE).await.unwrap();
    for incoming in bench.take(&mut second, 12).await {
        wanted.retain(|id| *id != incoming.envelope.id);
        second.done(incoming.token);
    }
    assert!(wanted.is_empty(), "not given again: {wanted:?}");
}

pub async fn what_is_done_in_any_order_does_not_come_again(bench: &Bench) {
    let broker = bench.broker();
    let mut first = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    bench.publish(&broker, 40).await;
    let taken = bench.take(&mut first, 40).await;
    let (even, odd): (Vec<_>, Vec<_>) = taken.into_iter().partition(|one| one.token % 2 == 0);
    for incoming in even.into_iter().rev().chain(odd) {
        first.done(incoming.token);
        first.done(incoming.token);
        first.done(u64::MAX);
    }
    drop(first);
    let mut second = bench.broker().subscribe(CONSUMER, SOURCE).await.unwrap();
    let last = bench.publish(&broker, 1).await;
    assert_eq!(bench.next(&mut second).await.envelope.id, last[0].id);
}

pub async fn one_that_is_not_done_comes_again_whatever_was_done_after_it(bench: &Bench) {
    let broker = bench.broker();
    let publisher = broker.publisher(SOURCE).await.unwrap();
    let mut first = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    let id = bench.env.uuid();
    for version in 1..=10 {
        publisher.publish(&bench.event(id, version)).await.unwrap();
    }
    for incoming in bench.take(&mut first, 10).await {
        if incoming.envelope.aggregate_version != 4 {
            first.done(incoming.token);
        }
    }
    drop(first);
    let mut second = bench.broker().subscribe(CONSUMER, SOURCE).await.unwrap();
    while bench.next(&mut second).await.envelope.aggregate_version != 4 {}
}

pub async fn a_new_consumer_begins_with_the_oldest_event(bench: &Bench) {
    let broker = bench.broker();
    let mut wanted = ids(&bench.publish(&broker, 30).await);
    let mut inbound = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    let taken = bench.take(&mut inbound, 30).await;
    wanted.extend(ids(&bench.publish(&broker, 5).await));
    let later = bench.take(&mut inbound, 5).await;
    for incoming in taken.into_iter().chain(later) {
        wanted.retain(|id| *id != incoming.envelope.id);
        inbound.done(incoming.token);
    }
    assert!(wanted.is_empty(), "never given: {wanted:?}");
    drop(inbound);
    // What it began with is done, once and for all.
    let mut again = bench.broker().subscribe(CONSUMER, SOURCE).await.unwrap();
    let last = bench.publish(&broker, 1).await;
    assert_eq!(bench.next(&mut again).await.envelope.id, last[0].id);
}

pub async fn every_consumer_gets_every_event(bench: &Bench) {
    let broker = bench.broker();
    bench.publish(&broker, 3).await;
    let mut one = broker.subscribe(CONSUMERS[0], SOURCE).await.unwrap();
    let mut other = broker.subscribe(CONSUMERS[1], SOURCE).await.unwrap();
    bench.publish(&broker, 3).await;
    let key = |incoming: &platform::bus::broker::Incoming| incoming.envelope.id;
    let mut by_one: Vec<Uuid> = bench.take(&mut one, 6).await.iter().map(key).collect();
    let mut by_other: Vec<Uuid> = bench.take(&mut other, 6).await.iter().map(key).collect();
    by_one.sort_unstable();
    by_other.sort_unstable();
    assert_eq!(by_one, by_other);
}

pub async fn events_that_nobody_reads_do_not_hold_up_their_publisher(bench: &Bench) {
    assert_eq!(bench.publish(&bench.broker(), 20).await.len(), 20);
}

pub async fn what_waits_is_counted(bench: &Bench) {
    let broker = bench.broker();
    let mut inbound = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    bench.lag_is(&mut inbound, 0).await;
    bench.publish(&broker, 9).await;
    bench.lag_is(&mut inbound, 9).await;
    for incoming in bench.take(&mut inbound, 9).await {
        inbound.done(incoming.token);
    }
    bench.lag_is(&mut inbound, 0).await;
}

pub async fn a_topology_with_other_settings_is_refused(bench: &Bench) {
    bench.broker().publisher(SOURCE).await.unwrap();
    let other = bench.broker_at(&bench.address, PARTITIONS + 3).unwrap();
    let told = other.publisher(SOURCE).await.err().unwrap().to_string();
    assert!(told.contains('4') && told.contains('7') && told.contains("partitions"), "{told}");
    let told = other.subscribe(CONSUMER, SOURCE).await.err().unwrap().to_string();
    assert!(told.contains('4') && told.contains('7') && told.contains("partitions"), "{told}");
}

pub async fn publishers_and_consumers_may_be_made_twice(bench: &Bench) {
    let broker = bench.broker();
    for _ in 0..2 {
        broker.publisher(SOURCE).await.unwrap();
        let mut inbound = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
        bench.publish(&broker, 1).await;
        let incoming = bench.next(&mut inbound).await;
        inbound.done(incoming.token);
    }
}

fn ids(events: &[Envelope]) -> Vec<Uuid> {
    events.iter().map(|event| event.id).collect()
}
