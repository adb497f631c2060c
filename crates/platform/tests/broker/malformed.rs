//! Messages that are no events.

use std::time::Duration;

use kernel::id::Uuid;

use crate::bench::{Bench, CONSUMER, PARTITIONS, SOURCE};

pub async fn a_message_that_is_no_event_goes_to_the_dead_letters(bench: &Bench) {
    let broker = bench.broker();
    let publisher = broker.publisher(SOURCE).await.unwrap();
    let mut inbound = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    let id: Uuid = bench.env.uuid();
    let event = bench.event(id, 1);
    let now = bench.env.now();
    bench.raw.send(&bench.prefix, event.partition(PARTITIONS), b"hello?", now).await;
    publisher.publish(&event).await.unwrap();
    let incoming = bench.next(&mut inbound).await;
    assert_eq!(*incoming.envelope, event);
    inbound.done(incoming.token);
    bench.lag_is(&mut inbound, 0).await;
    let (payload, reason) = bench.raw.dead_letter(&bench.prefix).await;
    assert_eq!(payload, b"hello?");
    assert!(reason.contains("specversion"), "{reason}");
}

/// How late or early something was said is for the broker's own clock to say.
pub async fn a_publisher_whose_clock_is_days_off_is_heard(bench: &Bench) {
    const DAYS: Duration = Duration::from_hours(48);
    let broker = bench.broker();
    let publisher = broker.publisher(SOURCE).await.unwrap();
    let mut inbound = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    let now = bench.env.now();
    bench.raw.send(&bench.prefix, 0, b"ahead", now.plus(DAYS)).await;
    bench.raw.send(&bench.prefix, 0, b"behind", now.minus(DAYS)).await;
    let event = bench.event(bench.env.uuid(), 1);
    publisher.publish(&event).await.unwrap();
    let incoming = bench.next(&mut inbound).await;
    inbound.done(incoming.token);
    bench.lag_is(&mut inbound, 0).await;
    let (payload, _) = bench.raw.dead_letter(&bench.prefix).await;
    assert_eq!(payload, b"ahead");
}
