//! A broker that is away for a while.

use std::collections::HashSet;
use std::time::Duration;

use kernel::id::Uuid;
use platform::event::Envelope;

use crate::bench::{Bench, CONSUMER, LIMIT, PARTITIONS, SOURCE};
use crate::proxy::Proxy;

pub async fn a_publisher_fails_while_the_broker_is_away_and_recovers(bench: &Bench) {
    let proxy = Proxy::start(bench).await;
    proxy.cut();
    let broker = bench.broker_at(&proxy.address, PARTITIONS).unwrap();
    let told = broker.publisher(SOURCE).await.err().expect("nobody is there").to_string();
    assert!(!told.contains("mercat:"), "a password was told: {told}");
    proxy.mend();
    let publisher = loop {
        // For a moment after a failure nobody tries.
        match broker.publisher(SOURCE).await {
            Ok(publisher) => break publisher,
            Err(_) => bench.env.sleep(Duration::from_millis(50)).await,
        }
    };
    let event = bench.event(bench.env.uuid(), 1);
    until_published(bench, &publisher, &event).await;
    proxy.cut();
    let told = publisher.publish(&event).await.unwrap_err().to_string();
    assert!(!told.contains("mercat:"), "a password was told: {told}");
    proxy.mend();
    until_published(bench, &publisher, &event).await;
    let mut inbound = bench.broker().subscribe(CONSUMER, SOURCE).await.unwrap();
    assert_eq!(bench.next(&mut inbound).await.envelope.id, event.id);
}

pub async fn a_consumer_comes_back_and_misses_nothing(bench: &Bench) {
    let proxy = Proxy::start(bench).await;
    let through = bench.broker_at(&proxy.address, PARTITIONS).unwrap();
    let mut inbound = through.subscribe(CONSUMER, SOURCE).await.unwrap();
    let broker = bench.broker();
    bench.publish(&broker, 6).await;
    let held = bench.take(&mut inbound, 6).await;
    proxy.cut();
    let mut wanted: HashSet<Uuid> = held.iter().map(|incoming| incoming.envelope.id).collect();
    wanted.extend(bench.publish(&broker, 6).await.iter().map(|event| event.id));
    // While nobody is reached nothing is acknowledged, and nothing breaks.
    for incoming in &held {
        inbound.done(incoming.token);
    }
    let early = bench.env.timeout(Duration::from_secs(2), inbound.next()).await;
    assert!(early.is_none(), "came over a cut wire");
    proxy.mend();
    for incoming in &held {
        wanted.remove(&incoming.envelope.id);
    }
    while !wanted.is_empty() {
        let incoming = bench.next(&mut inbound).await;
        wanted.remove(&incoming.envelope.id);
        inbound.done(incoming.token);
    }
    // What came again is done again.
    loop {
        if inbound.lag().await.is_ok_and(|lag| lag == 0) {
            return;
        }
        let again = bench.env.timeout(Duration::from_millis(200), inbound.next()).await;
        if let Some(incoming) = again {
            inbound.done(incoming.token);
        }
    }
}

pub async fn a_wire_that_swallows_everything_is_noticed(bench: &Bench) {
    let proxy = Proxy::start(bench).await;
    let through = bench.broker_at(&proxy.address, PARTITIONS).unwrap();
    let publisher = through.publisher(SOURCE).await.unwrap();
    let mut inbound = through.subscribe(CONSUMER, SOURCE).await.unwrap();
    let first = bench.event(bench.env.uuid(), 1);
    until_published(bench, &publisher, &first).await;
    let incoming = bench.next(&mut inbound).await;
    inbound.done(incoming.token);
    proxy.freeze();
    let second = bench.event(first.aggregate_id, 2);
    until_published(bench, &publisher, &second).await;
    while bench.next(&mut inbound).await.envelope.id != second.id {}
}

pub async fn a_member_that_vanishes_is_replaced(bench: &Bench) {
    let proxy = Proxy::start(bench).await;
    let through = bench.broker_at(&proxy.address, PARTITIONS).unwrap();
    let mut vanishing = through.subscribe(CONSUMER, SOURCE).await.unwrap();
    let broker = bench.broker();
    let mut wanted: HashSet<Uuid> =
        bench.publish(&broker, 10).await.iter().map(|event| event.id).collect();
    bench.take(&mut vanishing, 10).await;
    proxy.cut();
    let mut other = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    while !wanted.is_empty() {
        let incoming = bench.next(&mut other).await;
        wanted.remove(&incoming.envelope.id);
        other.done(incoming.token);
    }
    bench.lag_is(&mut other, 0).await;
}

pub async fn nothing_that_was_confirmed_is_lost_by_broken_connections(bench: &Bench) {
    const EVENTS: u64 = 60;
    let proxy = Proxy::start(bench).await;
    let through = bench.broker_at(&proxy.address, PARTITIONS).unwrap();
    let publisher = through.publisher(SOURCE).await.unwrap();
    let mut inbound = through.subscribe(CONSUMER, SOURCE).await.unwrap();
    let id = bench.env.uuid();
    let publishing = async {
        for version in 1..=EVENTS {
            if version % 20 == 10 {
                proxy.cut();
                proxy.mend();
            }
            until_published(bench, &publisher, &bench.event(id, version)).await;
        }
    };
    let reading = async {
        let mut seen = HashSet::new();
        let mut highest = 0;
        while seen.len() < EVENTS as usize {
            let incoming = bench.next(&mut inbound).await;
            let version = incoming.envelope.aggregate_version;
            // It may come again, but never too early.
            assert!(version <= highest + 1, "{version} came after {highest}");
            highest = highest.max(version);
            seen.insert(version);
            inbound.done(incoming.token);
        }
    };
    tokio::join!(publishing, reading);
}

/// As the relay does: again, until it is held.
async fn until_published(
    bench: &Bench,
    publisher: &std::sync::Arc<dyn platform::bus::broker::Publisher>,
    event: &Envelope,
) {
    let trying = bench.env.timeout(LIMIT, async {
        while publisher.publish(event).await.is_err() {
            bench.env.sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(trying.await.is_some(), "the publisher does not recover");
}
