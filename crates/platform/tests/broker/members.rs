//! Several processes under one consumer's name.

use std::collections::HashSet;
use std::time::Duration;

use kernel::id::Uuid;
use platform::bus::broker::Incoming;

use crate::bench::{Bench, CONSUMER, LIMIT, PARTITIONS, SOURCE};

pub async fn members_share_partitions_and_nothing_is_lost_when_one_leaves(bench: &Bench) {
    let publishing = bench.broker();
    let mut one = bench.broker().subscribe(CONSUMER, SOURCE).await.unwrap();
    let mut wanted: HashSet<Uuid> = HashSet::new();
    let note = |wanted: &mut HashSet<Uuid>, events: Vec<_>| {
        wanted.extend(events.iter().map(|event: &platform::event::Envelope| event.id));
    };
    note(&mut wanted, bench.publish(&publishing, 8).await);
    let first = bench.next(&mut one).await;
    wanted.remove(&first.envelope.id);
    one.done(first.token);
    let mut other = bench.broker().subscribe(CONSUMER, SOURCE).await.unwrap();
    let mut held: Vec<Incoming> = Vec::new();
    // Until the other has its share, and work in flight.
    let shared = bench.env.timeout(LIMIT, async {
        while held.len() < 3 {
            note(&mut wanted, bench.publish(&publishing, 4 * PARTITIONS as usize).await);
            loop {
                tokio::select! {
                    incoming = one.next() => {
                        wanted.remove(&incoming.envelope.id);
                        one.done(incoming.token);
                    }
                    incoming = other.next() => held.push(incoming),
                    () = bench.env.sleep(Duration::from_millis(300)) => break,
                }
            }
        }
    });
    assert!(shared.await.is_some(), "the second member was given nothing");
    drop(other);
    note(&mut wanted, bench.publish(&publishing, 8).await);
    while !wanted.is_empty() {
        let incoming = bench.next(&mut one).await;
        wanted.remove(&incoming.envelope.id);
        one.done(incoming.token);
    }
    bench.lag_is(&mut one, 0).await;
}

pub async fn a_member_that_takes_nothing_keeps_its_partitions(bench: &Bench) {
    const EVENTS: usize = 2_000;
    let broker = bench.broker();
    let mut slow = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    bench.publish(&broker, 1).await;
    let first = bench.next(&mut slow).await;
    slow.done(first.token);
    // More than any buffer of the adapter holds.
    let publisher = broker.publisher(SOURCE).await.unwrap();
    let events: Vec<_> = (0..EVENTS).map(|_| bench.event(bench.env.uuid(), 1)).collect();
    let publishing = events.iter().map(|event| publisher.publish(event));
    for outcome in futures_util::future::join_all(publishing).await {
        outcome.unwrap();
    }
    // Longer than a member may be silent. Were it put out, all would come to it again, twice.
    bench.env.sleep(Duration::from_secs(8)).await;
    let mut wanted: HashSet<Uuid> = events.iter().map(|event| event.id).collect();
    for _ in 0..EVENTS {
        let incoming = bench.next(&mut slow).await;
        assert!(wanted.remove(&incoming.envelope.id), "given twice");
        slow.done(incoming.token);
    }
    bench.lag_is(&mut slow, 0).await;
}
