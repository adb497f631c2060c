//! Static membership of Kafka: a process that has a name and comes back soon.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kernel::id::Uuid;
use platform::bus::broker::Inbound;

use crate::bench::{Bench, CONSUMER, LIMIT, SOURCE};

/// So many that each partition has some.
const AGGREGATES: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_comes_back_within_its_session_keeps_its_partitions() {
    crate::bench::on_kafka(comes_back).await;
}

/// Which aggregates came to the first of two members.
type Share = BTreeSet<Uuid>;

async fn comes_back(bench: &Bench) {
    let aggregates: Vec<Uuid> = (0..AGGREGATES).map(|_| bench.env.uuid()).collect();
    let mut one = bench.kafka_as("one").subscribe(CONSUMER, SOURCE).await.unwrap();
    let mut two = bench.kafka_as("two").subscribe(CONSUMER, SOURCE).await.unwrap();
    let before = bench.env.timeout(LIMIT, settled(bench, &aggregates, &mut one, &mut two)).await;
    let before = before.expect("partitions are shared in the end");

    drop(one);
    let mut waiting = published(bench, &aggregates).await;
    // Well within its session. What is not of the absent one comes to the other at once.
    let of_the_other = bench.env.timeout(Duration::from_secs(3), async {
        loop {
            let incoming = two.next().await;
            let aggregate = waiting.remove(&incoming.envelope.id);
            if let Some(aggregate) = aggregate {
                assert!(!before.contains(&aggregate), "a partition went to the other");
            }
            two.done(incoming.token);
        }
    });
    assert!(of_the_other.await.is_none(), "it waits for more");
    let left: Share = waiting.values().copied().collect();
    assert_eq!(left, before, "what is of the absent one waits for it");

    let mut one = bench.kafka_as("one").subscribe(CONSUMER, SOURCE).await.unwrap();
    while !waiting.is_empty() {
        let incoming = bench.next(&mut one).await;
        waiting.remove(&incoming.envelope.id);
        one.done(incoming.token);
    }
}

/// One event of each aggregate, by its id.
async fn published(bench: &Bench, aggregates: &[Uuid]) -> BTreeMap<Uuid, Uuid> {
    let publisher = bench.broker().publisher(SOURCE).await.unwrap();
    let mut events = BTreeMap::new();
    for aggregate in aggregates {
        let event = bench.event(*aggregate, 1);
        publisher.publish(&event).await.unwrap();
        events.insert(event.id, *aggregate);
    }
    events
}

/// Until both have a share, and the same one twice.
async fn settled(
    bench: &Bench,
    aggregates: &[Uuid],
    one: &mut Box<dyn Inbound>,
    two: &mut Box<dyn Inbound>,
) -> Share {
    let mut last = Share::new();
    loop {
        let mut waiting = published(bench, aggregates).await;
        let mut share = Share::new();
        while !waiting.is_empty() {
            let (incoming, is_first) = tokio::select! {
                biased;
                incoming = one.next() => (incoming, true),
                incoming = two.next() => (incoming, false),
            };
            if let Some(aggregate) = waiting.remove(&incoming.envelope.id)
                && is_first
            {
                share.insert(aggregate);
            }
            if is_first { one.done(incoming.token) } else { two.done(incoming.token) }
        }
        if share == last && !share.is_empty() && share.len() < aggregates.len() {
            return share;
        }
        last = share;
    }
}
