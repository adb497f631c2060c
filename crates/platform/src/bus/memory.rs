//! A broker inside this process, for simulations and tests: a log a partition, kept for ever, and
//! groups that share its partitions. It forgets all when it is dropped.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::sync::Notify;

use super::broker::{Broker, BrokerError, Inbound, Incoming, Publisher};
use crate::event::{Envelope, PARTITIONS};

/// Cheap to clone; clones are the same broker.
#[derive(Clone, Default)]
pub struct MemoryBroker {
    shared: Arc<Shared>,
}

const LOGS: usize = PARTITIONS as usize;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

/// What was published of a service.
#[derive(Default)]
struct Topic {
    /// By partition.
    logs: [Vec<Arc<Envelope>>; LOGS],
    changed: Arc<Notify>,
}

#[derive(Default)]
struct State {
    /// By service.
    topics: HashMap<&'static str, Topic>,
    groups: HashMap<(&'static str, &'static str), Group>,
    last_member: u64,
    is_down: bool,
}

#[derive(Default)]
struct Group {
    /// In the order in which they joined.
    members: Vec<u64>,
    /// By partition: up to where all is done.
    done: [usize; LOGS],
    /// Grows when members have to begin anew where all is done.
    turn: u64,
}

impl Group {
    fn owns(&self, member: u64, partition: usize) -> bool {
        let at = partition % self.members.len().max(1);
        self.members.get(at) == Some(&member)
    }
}

impl State {
    /// Wakes whoever waits for events of the service.
    fn tell(&mut self, service: &'static str) {
        self.topics.entry(service).or_default().changed.notify_waiters();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryBroker {
    /// While it is down nothing is taken and nothing is given.
    pub fn set_down(&self, is_down: bool) {
        let mut state = self.shared.lock();
        state.is_down = is_down;
        // Not in the order of a hash: two runs of one history go the same way.
        let mut services: Vec<_> = state.topics.keys().copied().collect();
        services.sort_unstable();
        for service in services {
            state.tell(service);
        }
    }

    /// The last `window` events of each partition that the consumer had done with come again, and so
    /// does all behind them: an acknowledgement got lost with whoever held the partition.
    pub fn rewind(&self, consumer: &'static str, source: &'static str, window: usize) {
        let mut state = self.shared.lock();
        let Some(group) = state.groups.get_mut(&(consumer, source)) else { return };
        for done in &mut group.done {
            *done = done.saturating_sub(window);
        }
        group.turn += 1;
        state.tell(source);
    }

    /// All that was ever published of a service, by partition and in order.
    pub fn published(&self, service: &'static str) -> Vec<Arc<Envelope>> {
        let state = self.shared.lock();
        state.topics.get(service).into_iter().flat_map(|t| &t.logs).flatten().cloned().collect()
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    async fn publisher(&self, service: &'static str) -> Result<Arc<dyn Publisher>, BrokerError> {
        Ok(Arc::new(Sender { shared: self.shared.clone(), service }))
    }

    async fn subscribe(
        &self,
        consumer: &'static str,
        source: &'static str,
    ) -> Result<Box<dyn Inbound>, BrokerError> {
        let mut state = self.shared.lock();
        state.last_member += 1;
        let member = state.last_member;
        state.groups.entry((consumer, source)).or_default().members.push(member);
        state.tell(source);
        let changed = state.topics.entry(source).or_default().changed.clone();
        drop(state);
        Ok(Box::new(Member {
            shared: self.shared.clone(),
            changed,
            group: (consumer, source),
            number: member,
            turn: 0,
            positions: [None; LOGS],
            done: Default::default(),
        }))
    }
}

struct Sender {
    shared: Arc<Shared>,
    service: &'static str,
}

#[async_trait]
impl Publisher for Sender {
    async fn publish(&self, event: &Envelope) -> Result<(), BrokerError> {
        let mut state = self.shared.lock();
        if state.is_down {
            return Err(BrokerError("the broker in memory is down".to_owned()));
        }
        let topic = state.topics.entry(self.service).or_default();
        topic.logs[event.partition(PARTITIONS) as usize].push(Arc::new(event.clone()));
        topic.changed.notify_waiters();
        Ok(())
    }
}

struct Member {
    shared: Arc<Shared>,
    /// Of the topic.
    changed: Arc<Notify>,
    group: (&'static str, &'static str),
    number: u64,
    /// The group's, when it was looked at last.
    turn: u64,
    /// By partition: what is read next. Only of those that are ours.
    positions: [Option<usize>; LOGS],
    /// By partition: what is done beyond what comes before it.
    done: [HashSet<usize>; LOGS],
}

const OFFSETS: u64 = 1 << 32;

impl Member {
    fn poll(&mut self) -> Option<Incoming> {
        let shared = self.shared.clone();
        let state = shared.lock();
        let group = state.groups.get(&self.group)?;
        if state.is_down {
            return None;
        }
        if group.turn != self.turn {
            self.turn = group.turn;
            self.positions = [None; LOGS];
            self.done.iter_mut().for_each(HashSet::clear);
        }
        let topic = state.topics.get(self.group.1)?;
        for (partition, log) in topic.logs.iter().enumerate() {
            if !group.owns(self.number, partition) {
                self.positions[partition] = None;
                self.done[partition].clear();
                continue;
            }
            let at = self.positions[partition].get_or_insert(group.done[partition]);
            if let Some(envelope) = log.get(*at) {
                let token = partition as u64 * OFFSETS + *at as u64;
                *at += 1;
                return Some(Incoming { token, envelope: envelope.clone() });
            }
        }
        None
    }
}

impl Member {
    fn waiting(&self) -> Result<u64, BrokerError> {
        let state = self.shared.lock();
        if state.is_down {
            return Err(BrokerError("the broker in memory is down".to_owned()));
        }
        let Some(topic) = state.topics.get(self.group.1) else { return Ok(0) };
        let done = state.groups.get(&self.group).map_or([0; LOGS], |group| group.done);
        let held = topic.logs.iter().zip(done);
        Ok(held.map(|(log, done)| log.len().saturating_sub(done) as u64).sum())
    }
}

#[async_trait]
impl Inbound for Member {
    async fn next(&mut self) -> Incoming {
        let changes = self.changed.clone();
        loop {
            let changed = changes.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if let Some(incoming) = self.poll() {
                return incoming;
            }
            changed.await;
        }
    }

    fn done(&mut self, token: u64) {
        let (partition, at) = ((token / OFFSETS) as usize, (token % OFFSETS) as usize);
        let shared = self.shared.clone();
        let mut state = shared.lock();
        let Some(group) = state.groups.get_mut(&self.group) else { return };
        if !group.owns(self.number, partition) {
            return;
        }
        let upto = &mut group.done[partition];
        if group.turn != self.turn || at < *upto {
            // Given before it was to begin anew: it is given again.
            return;
        }
        let waiting = &mut self.done[partition];
        waiting.insert(at);
        while waiting.remove(upto) {
            *upto += 1;
        }
    }

    fn lag(&mut self) -> BoxFuture<'static, Result<u64, BrokerError>> {
        ready(self.waiting()).boxed()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if let Some(group) = state.groups.get_mut(&self.group) {
            group.members.retain(|member| *member != self.number);
        }
        state.tell(self.group.1);
    }
}
