//! Messages that are no events.

use kernel::id::Uuid;

use crate::bench::{Bench, CONSUMER, PARTITIONS, SOURCE};

pub async fn a_message_that_is_no_event_goes_to_the_dead_letters(bench: &Bench) {
    let broker = bench.broker();
    let publisher = broker.publisher(SOURCE).await.unwrap();
    let mut inbound = broker.subscribe(CONSUMER, SOURCE).await.unwrap();
    let id: Uuid = bench.env.uuid();
    let event = bench.event(id, 1);
    bench.raw.send(&bench.prefix, event.partition(PARTITIONS), b"hello?").await;
    publisher.publish(&event).await.unwrap();
    let incoming = bench.next(&mut inbound).await;
    assert_eq!(*incoming.envelope, event);
    inbound.done(incoming.token);
    bench.lag_is(&mut inbound, 0).await;
    let (payload, reason) = bench.raw.dead_letter(&bench.prefix).await;
    assert_eq!(payload, b"hello?");
    assert!(reason.contains("specversion"), "{reason}");
}
