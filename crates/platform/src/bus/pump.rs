//! Hands events on: those of one aggregate (a *key*) in order, keys beside each other, each at its
//! own pace. What nobody has a use for waits a moment for the event behind it, so that it costs no
//! commit of its own.
//!
//! The same pump works between an outbox and the consumers of this process, between an outbox and a
//! broker, and between a broker and a consumer; the [`Outlet`] is what differs.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, OptionFuture, pending};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use kernel::id::Uuid;

use crate::env::Env;
use crate::store::Waiting;

/// How many events a pump keeps in memory; further ones wait where they come from.
const ROOM: usize = 8192;
/// How many keys are delivered at the same time.
const KEYS: usize = 256;
/// A key that failed is tried again after this, doubled each time, up to a second.
const BACKOFF: Duration = Duration::from_millis(20);
/// So long an event that no consumer has a use for waits for one behind it.
const HOLD: Duration = Duration::from_millis(100);

/// Where events go.
pub(super) trait Outlet: Send + Sync + 'static {
    /// Has anybody a use for events of this type? Others may wait a moment.
    fn is_wanted(&self, event_type: &str) -> bool;

    /// Hands on the events of one key, in order.
    fn deliver(self: Arc<Self>, key: Uuid, events: Vec<Waiting>) -> BoxFuture<'static, Delivered>;
}

/// What became of the events of a key.
pub(super) struct Delivered {
    pub key: Uuid,
    /// The places of those that are done with.
    pub done: Vec<i64>,
    /// The others, in order: the first of them could not be handed on.
    pub rest: Vec<Waiting>,
    /// The key is somebody else's now: nothing of it is tried again here.
    pub is_lost: bool,
}

/// The places of events that a pump holds no more.
#[derive(Default)]
pub(super) struct Ended {
    pub done: Vec<i64>,
    /// Not handed on, and not ours any more.
    pub lost: Vec<i64>,
}

#[derive(Default)]
struct Key {
    /// By version: what comes too early waits for what comes too late.
    events: VecDeque<Waiting>,
    /// In `ready`, `running` or `resting`.
    busy: bool,
    failures: u32,
}

pub(super) struct Pump {
    env: Env,
    outlet: Arc<dyn Outlet>,
    keys: HashMap<Uuid, Key>,
    /// Keys with something to deliver, in the order in which they came.
    ready: VecDeque<Uuid>,
    running: FuturesUnordered<BoxFuture<'static, Delivered>>,
    /// Keys that failed, until they are tried again.
    resting: FuturesUnordered<BoxFuture<'static, Uuid>>,
    /// Events taken in and not yet delivered.
    queued: usize,
    held: Option<BoxFuture<'static, ()>>,
}

impl Pump {
    pub(super) fn new(env: Env, outlet: Arc<dyn Outlet>) -> Self {
        Self {
            env,
            outlet,
            keys: HashMap::new(),
            ready: VecDeque::new(),
            running: FuturesUnordered::new(),
            resting: FuturesUnordered::new(),
            queued: 0,
            held: None,
        }
    }

    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    pub(super) fn has_room(&self) -> bool {
        self.queued < ROOM
    }

    pub(super) fn accept(&mut self, event: Waiting) {
        self.queued += 1;
        let id = event.envelope.aggregate_id;
        let wanted = self.outlet.is_wanted(&event.envelope.event_type);
        let key = self.keys.entry(id).or_default();
        let version = event.envelope.aggregate_version;
        let behind = key.events.iter().rev();
        let later = behind.take_while(|e| e.envelope.aggregate_version > version).count();
        key.events.insert(key.events.len() - later, event);
        if key.busy {
            return;
        }
        if wanted {
            key.busy = true;
            self.ready.push_back(id);
        } else {
            self.hold();
        }
    }

    /// Delivers until some events have ended. Pends while there is nothing to do. Cancel safe.
    pub(super) async fn turn(&mut self) -> Ended {
        loop {
            self.dispatch();
            // Those that waited come before those that are always there.
            tokio::select! {
                biased;
                Some(()) = OptionFuture::from(self.held.as_mut()) => self.release_held(),
                Some(key) = self.resting.next() => self.ready.push_back(key),
                Some(delivered) = self.running.next() => {
                    let ended = self.delivered(delivered);
                    if !ended.done.is_empty() || !ended.lost.is_empty() {
                        return ended;
                    }
                }
                else => pending().await,
            }
        }
    }

    fn hold(&mut self) {
        self.held.get_or_insert_with(|| self.env.timer.sleep(HOLD));
    }

    /// What was held has waited long enough.
    fn release_held(&mut self) {
        self.held = None;
        let idle = self.keys.iter_mut().filter(|(_, key)| !key.busy);
        let mut held: Vec<Uuid> = idle
            .map(|(id, key)| {
                key.busy = true;
                *id
            })
            .collect();
        // Not in the order of a hash: two runs of one history go the same way.
        held.sort_unstable();
        self.ready.extend(held);
    }

    fn dispatch(&mut self) {
        while self.running.len() < KEYS {
            let Some(id) = self.ready.pop_front() else { return };
            let Some(key) = self.keys.get_mut(&id) else { continue };
            let events = Vec::from(std::mem::take(&mut key.events));
            self.running.push(self.outlet.clone().deliver(id, events));
        }
    }

    fn delivered(&mut self, delivered: Delivered) -> Ended {
        let Delivered { key: id, done, rest, is_lost } = delivered;
        self.queued -= done.len();
        if is_lost {
            crate::sometimes::reached("a relay let go of a key that is another's now");
            return Ended { done, lost: self.forget(id, rest) };
        }
        let ended = Ended { done, lost: Vec::new() };
        let Some(key) = self.keys.get_mut(&id) else { return ended };
        if rest.is_empty() {
            key.failures = 0;
            key.busy = false;
            if key.events.is_empty() {
                self.keys.remove(&id);
            } else if key.events.iter().any(|e| self.outlet.is_wanted(&e.envelope.event_type)) {
                key.busy = true;
                self.ready.push_back(id);
            } else {
                self.hold();
            }
            return ended;
        }
        // What came meanwhile may belong before what failed.
        key.events.extend(rest);
        key.events.make_contiguous().sort_by_key(|event| event.envelope.aggregate_version);
        key.failures += 1;
        let pause = BACKOFF * 2_u32.pow(key.failures.min(6));
        let sleep = self.env.timer.sleep(pause.min(Duration::from_secs(1)));
        self.resting.push(sleep.map(move |()| id).boxed());
        ended
    }

    fn forget(&mut self, id: Uuid, rest: Vec<Waiting>) -> Vec<i64> {
        let more = self.keys.remove(&id).map(|key| key.events).unwrap_or_default();
        let lost: Vec<i64> = rest.into_iter().chain(more).map(|event| event.place).collect();
        self.queued -= lost.len();
        lost
    }
}
