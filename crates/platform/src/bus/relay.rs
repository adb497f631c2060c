//! From one service's outbox to its consumers.
//!
//! Events of one aggregate (a *key*) are delivered in order, keys beside each other, each at its
//! own pace. What nobody has a use for costs no commit of its own: it waits a moment for the event
//! behind it, and the inbox moves past both at once.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, OptionFuture};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use kernel::id::Uuid;

use super::delivery::{Delivered, Delivery};
use super::local::Subscription;
use super::poison::Ward;
use crate::env::Env;
use crate::executor::Executor;
use crate::shutdown::Shutdown;
use crate::store::Waiting;

/// How many events a relay keeps in memory; further ones wait in the table.
const ROOM: usize = 8192;
/// How many it reads from the table at once.
const PAGE: u32 = 512;
/// How many keys are delivered at the same time.
const KEYS: usize = 256;
/// The table is looked at so often, whatever was told.
const POLL: Duration = Duration::from_secs(5);
/// A key that failed is tried again after this, doubled each time, up to a second.
const BACKOFF: Duration = Duration::from_millis(20);
/// So long an event that no consumer has a use for waits for one behind it.
const HOLD: Duration = Duration::from_millis(100);
/// So long a delivered event waits for a commit that takes it along.
const SETTLE: Duration = Duration::from_millis(50);

pub(super) struct Relay {
    env: Env,
    publisher: Executor,
    delivery: Arc<Delivery>,
    keys: HashMap<Uuid, Key>,
    /// Keys with something to deliver, in the order in which they came.
    ready: VecDeque<Uuid>,
    running: FuturesUnordered<BoxFuture<'static, Delivered>>,
    /// Keys that failed, until they are tried again.
    resting: FuturesUnordered<BoxFuture<'static, Uuid>>,
    /// The place up to which events were taken in.
    cursor: i64,
    /// Events taken in and not yet delivered.
    queued: usize,
    /// The table holds events behind the cursor that nobody told of.
    behind: bool,
    /// There was no room when it looked last.
    full: bool,
    held: Option<BoxFuture<'static, ()>>,
    settle: Option<BoxFuture<'static, ()>>,
    poll: BoxFuture<'static, ()>,
}

#[derive(Default)]
struct Key {
    events: VecDeque<Waiting>,
    /// In `ready`, `running` or `resting`.
    busy: bool,
    failures: u32,
}

impl Relay {
    pub(super) fn new(
        env: Env,
        publisher: Executor,
        subscriptions: Vec<Subscription>,
        ward: Arc<Ward>,
    ) -> Self {
        let poll = env.timer.sleep(POLL);
        let delivery = Arc::new(Delivery { publisher: publisher.clone(), subscriptions, ward });
        Self {
            env,
            publisher,
            delivery,
            keys: HashMap::new(),
            ready: VecDeque::new(),
            running: FuturesUnordered::new(),
            resting: FuturesUnordered::new(),
            cursor: 0,
            queued: 0,
            behind: true,
            full: false,
            held: None,
            settle: None,
            poll,
        }
    }

    pub(super) async fn run(mut self, shutdown: Shutdown) {
        self.delivery.load_parked().await;
        self.publisher.tail().follow();
        let publisher = self.publisher.clone();
        loop {
            self.take_in().await;
            self.dispatch();
            tokio::select! {
                () = shutdown.stopping() => break,
                Some(delivered) = self.running.next() => self.delivered(delivered),
                Some(key) = self.resting.next() => self.ready.push_back(key),
                () = publisher.tail().committed() => {}
                Some(()) = OptionFuture::from(self.held.as_mut()) => self.release_held(),
                Some(()) = OptionFuture::from(self.settle.as_mut()) => self.settle().await,
                () = &mut self.poll => {
                    self.behind = true;
                    self.poll = self.env.timer.sleep(POLL);
                }
            }
        }
        // Not needed, but the next start has nothing to do twice.
        let _ = publisher.settle().await;
    }

    /// Takes in what was committed, as far as there is room.
    async fn take_in(&mut self) {
        let service = self.publisher.service();
        metrics::gauge!("mercat_relay_waiting_events", "service" => service)
            .set(self.queued as f64);
        if self.queued >= ROOM && !self.full {
            tracing::error!(
                service,
                waiting = self.queued,
                "consumers do not keep up; the rest waits"
            );
        }
        self.full = self.queued >= ROOM;
        while self.queued < ROOM {
            if self.behind {
                match self.publisher.store().engine().outbox(self.cursor, PAGE).await {
                    Ok(page) => {
                        self.behind = page.len() == PAGE as usize;
                        self.accept(page);
                    }
                    Err(error) => {
                        tracing::error!(%error, service, "outbox unreadable");
                        return;
                    }
                }
            } else {
                let (fresh, overflowed) = self.publisher.tail().take();
                self.behind = overflowed;
                self.accept(fresh);
                if !overflowed {
                    return;
                }
            }
        }
    }

    fn accept(&mut self, events: Vec<Waiting>) {
        for event in events {
            if event.place <= self.cursor {
                continue;
            }
            self.cursor = event.place;
            self.queued += 1;
            let id = event.envelope.aggregate_id;
            let wanted = self.delivery.is_wanted(&event.envelope.event_type);
            let key = self.keys.entry(id).or_default();
            key.events.push_back(event);
            if key.busy {
                continue;
            }
            if wanted {
                key.busy = true;
                self.ready.push_back(id);
            } else {
                self.hold();
            }
        }
    }

    fn hold(&mut self) {
        self.held.get_or_insert_with(|| self.env.timer.sleep(HOLD));
    }

    /// What was held has waited long enough.
    fn release_held(&mut self) {
        self.held = None;
        for (id, key) in &mut self.keys {
            if !key.busy {
                key.busy = true;
                self.ready.push_back(*id);
            }
        }
    }

    fn dispatch(&mut self) {
        while self.running.len() < KEYS {
            let Some(id) = self.ready.pop_front() else { return };
            let Some(key) = self.keys.get_mut(&id) else { continue };
            let events = Vec::from(std::mem::take(&mut key.events));
            self.running.push(self.delivery.clone().deliver(id, events).boxed());
        }
    }

    fn delivered(&mut self, delivered: Delivered) {
        let Delivered { key: id, done, rest } = delivered;
        self.queued -= done.len();
        if !done.is_empty() {
            self.publisher.delivered(done);
            self.settle.get_or_insert_with(|| self.env.timer.sleep(SETTLE));
        }
        let Some(key) = self.keys.get_mut(&id) else { return };
        if rest.is_empty() {
            key.failures = 0;
            key.busy = false;
            if key.events.is_empty() {
                self.keys.remove(&id);
            } else if key.events.iter().any(|e| self.delivery.is_wanted(&e.envelope.event_type)) {
                key.busy = true;
                self.ready.push_back(id);
            } else {
                self.hold();
            }
            return;
        }
        for event in rest.into_iter().rev() {
            key.events.push_front(event);
        }
        key.failures += 1;
        let pause = BACKOFF * 2_u32.pow(key.failures.min(6));
        let sleep = self.env.timer.sleep(pause.min(Duration::from_secs(1)));
        self.resting.push(sleep.map(move |()| id).boxed());
    }

    /// Deletes what was delivered and no commit took along.
    async fn settle(&mut self) {
        self.settle = None;
        if self.publisher.tail().has_done()
            && let Err(error) = self.publisher.settle().await
        {
            let service = self.publisher.service();
            tracing::warn!(%error, service, "delivered events stay and will be delivered again");
        }
    }
}
