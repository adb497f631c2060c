//! Outbox, relay, inbox and parked keys, in one process.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use kernel::id::Uuid;
use platform::Context;
use platform::bus::{LocalBus, Subscription, replay, skip};
use platform::event::{Consumer, Envelope, Event, HandleError, Handler};
use platform::executor::Executor;
use platform::shutdown::{Phase, Shutdown};
use tokio::sync::Notify;

use crate::sample::{AddWeight, Bench, Box_, BoxPut, PutBox, a_box};

on_every_engine!(
    local_bus::every_consumer_gets_every_event_once_and_in_order,
    local_bus::a_poisoned_key_is_parked_and_the_others_go_on,
    local_bus::events_from_before_the_start_are_delivered,
    local_bus::a_panicking_handler_parks_its_key_and_the_relay_goes_on,
    local_bus::a_younger_consumer_begins_where_it_stands,
    local_bus::a_younger_consumer_can_replay_its_first_event_when_that_was_parked,
    local_bus::what_is_parked_stays_parked_after_a_restart,
);

/// Copies the weight of each box into a box of its own; may be told to refuse one.
pub struct Mirror {
    executor: Executor,
    name: &'static str,
    refuses: Uuid,
    refusing: AtomicBool,
    panics: AtomicBool,
    pub handled: AtomicU32,
    moved: Notify,
    /// The versions that had an effect.
    seen: Mutex<Vec<u64>>,
}

impl Mirror {
    pub fn new(bench: &Bench, name: &'static str, refuses: Uuid) -> Arc<Self> {
        Arc::new(Self {
            executor: bench.executor.clone(),
            name,
            refuses,
            refusing: AtomicBool::new(true),
            panics: AtomicBool::new(false),
            handled: AtomicU32::new(0),
            moved: Notify::new(),
            seen: Mutex::default(),
        })
    }

    pub fn copy_of(&self, id: Uuid) -> Uuid {
        kernel::id::v5(id, self.name.as_bytes())
    }

    /// Of one aggregate's events, when it is told of one only.
    pub fn seen(&self) -> Vec<u64> {
        self.seen.lock().unwrap().clone()
    }

    pub async fn until_handled(&self, count: u32) {
        while self.handled.load(Ordering::SeqCst) < count {
            self.moved.notified().await;
        }
    }

    pub fn subscription(self: &Arc<Self>) -> Subscription {
        let (name, handler) = (self.name, self.clone());
        let consumer = Consumer { name, sources: &["sample"], types: &[BoxPut::TYPE], handler };
        Subscription { consumer, executor: self.executor.clone() }
    }
}

#[async_trait]
impl Handler for Mirror {
    async fn handle(&self, _: &Context, envelope: &Envelope) -> Result<(), HandleError> {
        // What this handler itself writes has names of this form, and is nothing to it.
        let own = self.executor.store().get::<Box_>(envelope.aggregate_id).await?;
        if own
            .is_none_or(|found| found.label.as_ref().is_none_or(|label| label.starts_with("copy")))
        {
            return Ok(self.executor.consume_nothing(self.name, envelope).await?);
        }
        if envelope.aggregate_id == self.refuses && self.refusing.load(Ordering::SeqCst) {
            assert!(!self.panics.load(Ordering::SeqCst), "a defect in a handler");
            return Err(HandleError::new("indigestible"));
        }
        let Some(put) = envelope.decode::<BoxPut>() else { return Ok(()) };
        let id = self.copy_of(envelope.aggregate_id);
        let copy = PutBox { id, state: a_box(&format!("copy {id}"), put?.weight) };
        struct Quiet(PutBox);
        impl platform::executor::Command for Quiet {
            type Reply = ();
            type Error = platform::store::StoreError;
            fn keys(&self, keys: &mut platform::executor::Keys) {
                self.0.keys(keys);
            }
            fn decide(
                &self,
                states: &mut platform::executor::States<'_>,
                now: kernel::Timestamp,
            ) -> Result<(), Self::Error> {
                self.0.decide(states, now).map(drop)
            }
        }
        self.executor.consume(self.name, envelope, Quiet(copy)).await?;
        let mut seen = self.seen.lock().unwrap();
        // A repetition is a success without effect.
        if seen.last().is_none_or(|last| *last < envelope.aggregate_version) {
            seen.push(envelope.aggregate_version);
        }
        drop(seen);
        self.handled.fetch_add(1, Ordering::SeqCst);
        self.moved.notify_one();
        Ok(())
    }
}

fn start(bench: &Bench, mirrors: &[&Arc<Mirror>]) -> (LocalBus, Shutdown) {
    let subscriptions = mirrors.iter().map(|mirror| mirror.subscription()).collect();
    let bus = LocalBus::new(bench.test.env.clone(), vec![bench.executor.clone()], subscriptions);
    let shutdown = Shutdown::new();
    bus.start(&shutdown);
    (bus, shutdown)
}

async fn until_quiet(bus: &LocalBus) {
    while !bus.is_quiet().await {
        tokio::task::yield_now().await;
    }
}

pub async fn every_consumer_gets_every_event_once_and_in_order(bench: Bench) {
    let (first, second) = (
        Mirror::new(&bench, "test.first", Uuid::nil()),
        Mirror::new(&bench, "test.second", Uuid::nil()),
    );
    let (bus, _shutdown) = start(&bench, &[&first, &second]);
    let ids: Vec<Uuid> = (0..20).map(|_| bench.id()).collect();
    for (at, id) in ids.iter().enumerate() {
        bench.run(PutBox { id: *id, state: a_box(&format!("{at}"), 0) }).await.unwrap();
    }
    for _ in 0..5 {
        let adds = ids.iter().map(|id| bench.run(AddWeight { id: *id, by: 1, most: 99 }));
        futures_util::future::join_all(adds).await;
    }
    first.until_handled(120).await;
    second.until_handled(120).await;
    until_quiet(&bus).await;
    for id in ids {
        for mirror in [&first, &second] {
            assert_eq!(bench.get(mirror.copy_of(id)).await.unwrap().weight, 5);
        }
    }
    assert_eq!(first.handled.load(Ordering::SeqCst), 120);
}

pub async fn a_poisoned_key_is_parked_and_the_others_go_on(bench: Bench) {
    let (bad, good) = (bench.id(), bench.id());
    let mirror = Mirror::new(&bench, "test.mirror", bad);
    let (bus, _shutdown) = start(&bench, &[&mirror]);
    let subscription = bus.subscriptions()[0].clone();
    bench.run(PutBox { id: bad, state: a_box("bad", 1) }).await.unwrap();
    bench.run(PutBox { id: good, state: a_box("good", 1) }).await.unwrap();
    mirror.until_handled(1).await;
    assert_eq!(bench.get(mirror.copy_of(good)).await.unwrap().weight, 1);
    while !bus.is_quiet().await {
        tokio::task::yield_now().await;
    }
    bench.run(AddWeight { id: bad, by: 1, most: 9 }).await.unwrap();
    until_quiet(&bus).await;
    let parked = bench.executor.store().parked(Some("test.mirror")).await.unwrap();
    let versions: Vec<_> = parked.iter().map(|p| p.envelope.aggregate_version).collect();
    assert_eq!(versions, [1, 2]);
    assert_eq!(parked[0].error, "indigestible");
    assert_eq!(replay(&subscription, bad).await.map_err(|e| e.message), Err("indigestible".into()));
    mirror.refusing.store(false, Ordering::SeqCst);
    assert!(skip(&subscription, parked[0].envelope.id).await.unwrap());
    assert_eq!(replay(&subscription, bad).await.unwrap(), 1);
    assert_eq!(bench.get(mirror.copy_of(bad)).await.unwrap().weight, 2);
    bench.run(AddWeight { id: bad, by: 1, most: 9 }).await.unwrap();
    mirror.until_handled(3).await;
    assert_eq!(bench.get(mirror.copy_of(bad)).await.unwrap().weight, 3);
    assert!(bench.executor.store().parked(None).await.unwrap().is_empty());
}

pub async fn events_from_before_the_start_are_delivered(bench: Bench) {
    let id = bench.id();
    bench.run(PutBox { id, state: a_box("early", 4) }).await.unwrap();
    let mirror = Mirror::new(&bench, "test.mirror", Uuid::nil());
    let (bus, _shutdown) = start(&bench, &[&mirror]);
    mirror.until_handled(1).await;
    until_quiet(&bus).await;
    assert_eq!(bench.get(mirror.copy_of(id)).await.unwrap().weight, 4);
}

pub async fn a_panicking_handler_parks_its_key_and_the_relay_goes_on(bench: Bench) {
    let (bad, good) = (bench.id(), bench.id());
    let mirror = Mirror::new(&bench, "test.mirror", bad);
    mirror.panics.store(true, Ordering::SeqCst);
    let (bus, _shutdown) = start(&bench, &[&mirror]);
    let before = bench.test.env.now();
    bench.run(PutBox { id: bad, state: a_box("bad", 1) }).await.unwrap();
    bench.test.advance(std::time::Duration::from_secs(1));
    assert!(!bus.has_backlog_before(before).await);
    assert!(bus.has_backlog_before(bench.test.env.now()).await);
    bench.run(PutBox { id: good, state: a_box("good", 1) }).await.unwrap();
    mirror.until_handled(1).await;
    while !bus.is_quiet().await {
        tokio::task::yield_now().await;
    }
    let parked = bench.executor.store().parked(Some("test.mirror")).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!(
        (parked[0].envelope.aggregate_id, parked[0].error.as_str()),
        (bad, "the handler panicked")
    );
    // An operator who tries again too early is told so; later it is handled.
    let subscription = bus.subscriptions()[0].clone();
    assert_eq!(replay(&subscription, bad).await.unwrap_err().message, "the handler panicked");
    mirror.refusing.store(false, Ordering::SeqCst);
    assert_eq!(replay(&subscription, bad).await.unwrap(), 1);
    assert_eq!(bench.get(mirror.copy_of(bad)).await.unwrap().weight, 1);
}

pub async fn stop(shutdown: &Shutdown) {
    shutdown.advance(Phase::Stopping);
    // The relay looks at it when it is next polled.
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// A bus to nobody takes every event there is; then it ends.
async fn events_that_nobody_hears(bench: &Bench) {
    let (bus, shutdown) = start(bench, &[]);
    until_quiet(&bus).await;
    stop(&shutdown).await;
}

pub async fn a_younger_consumer_begins_where_it_stands(bench: Bench) {
    let id = bench.id();
    bench.run(PutBox { id, state: a_box("old", 1) }).await.unwrap();
    events_that_nobody_hears(&bench).await;
    let mirror = Mirror::new(&bench, "test.mirror", Uuid::nil());
    let (bus, _shutdown) = start(&bench, &[&mirror]);
    for _ in 0..2 {
        bench.run(AddWeight { id, by: 1, most: 9 }).await.unwrap();
    }
    mirror.until_handled(2).await;
    until_quiet(&bus).await;
    assert_eq!(bench.get(mirror.copy_of(id)).await.unwrap().weight, 3);
}

pub async fn a_younger_consumer_can_replay_its_first_event_when_that_was_parked(bench: Bench) {
    let id = bench.id();
    bench.run(PutBox { id, state: a_box("old", 1) }).await.unwrap();
    events_that_nobody_hears(&bench).await;
    let mirror = Mirror::new(&bench, "test.mirror", id);
    let (bus, _shutdown) = start(&bench, &[&mirror]);
    for _ in 0..2 {
        bench.run(AddWeight { id, by: 1, most: 9 }).await.unwrap();
    }
    until_quiet(&bus).await;
    mirror.refusing.store(false, Ordering::SeqCst);
    let subscription = bus.subscriptions()[0].clone();
    assert_eq!(replay(&subscription, id).await.unwrap(), 2);
    assert_eq!(bench.get(mirror.copy_of(id)).await.unwrap().weight, 3);
}

pub async fn what_is_parked_stays_parked_after_a_restart(bench: Bench) {
    let id = bench.id();
    let mirror = Mirror::new(&bench, "test.mirror", id);
    bench.run(PutBox { id, state: a_box("bad", 1) }).await.unwrap();
    let (bus, shutdown) = start(&bench, &[&mirror]);
    until_quiet(&bus).await;
    stop(&shutdown).await;
    mirror.refusing.store(false, Ordering::SeqCst);
    let (bus, _shutdown) = start(&bench, &[&mirror]);
    bench.run(AddWeight { id, by: 1, most: 9 }).await.unwrap();
    until_quiet(&bus).await;
    assert_eq!(mirror.handled.load(Ordering::SeqCst), 0, "it waits behind the parked one");
    let subscription = bus.subscriptions()[0].clone();
    assert_eq!(replay(&subscription, id).await.unwrap(), 2);
    assert_eq!(bench.get(mirror.copy_of(id)).await.unwrap().weight, 2);
}
