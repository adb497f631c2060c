//! A broker inside this process, for simulations and tests: a log a partition, kept for ever, and
//! groups that share its partitions. It forgets all when it is dropped.

use std::collections::{BTreeMap, HashMap, HashSet};
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

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// By service and partition.
    logs: HashMap<(&'static str, u32), Vec<Arc<Envelope>>>,
    groups: HashMap<(&'static str, &'static str), Group>,
    last_member: u64,
    is_down: bool,
}

#[derive(Default)]
struct Group {
    /// In the order in which they joined.
    members: Vec<u64>,
    /// By partition: up to where all is done.
    done: BTreeMap<u32, usize>,
    /// Grows when members have to begin anew where all is done.
    turn: u64,
}

impl Group {
    fn owns(&self, member: u64, partition: u32) -> bool {
        let at = partition as usize % self.members.len().max(1);
        self.members.get(at) == Some(&member)
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
        self.shared.lock().is_down = is_down;
        self.shared.changed.notify_waiters();
    }

    /// The last `window` events of each partition that the consumer had done with come again, and so
    /// does all behind them: an acknowledgement got lost with whoever held the partition.
    pub fn rewind(&self, consumer: &'static str, source: &'static str, window: usize) {
        let mut state = self.shared.lock();
        let Some(group) = state.groups.get_mut(&(consumer, source)) else { return };
        for done in group.done.values_mut() {
            *done = done.saturating_sub(window);
        }
        group.turn += 1;
        drop(state);
        self.shared.changed.notify_waiters();
    }

    /// All that was ever published of a service, by partition and in order.
    pub fn published(&self, service: &'static str) -> Vec<Arc<Envelope>> {
        let state = self.shared.lock();
        let logs = (0..PARTITIONS).filter_map(|partition| state.logs.get(&(service, partition)));
        logs.flatten().cloned().collect()
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    async fn publisher(&self, service: &'static str) -> Result<Arc<dyn Publisher>, BrokerError> {
        Ok(Arc::new(Topic { shared: self.shared.clone(), service }))
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
        drop(state);
        self.shared.changed.notify_waiters();
        Ok(Box::new(Member {
            shared: self.shared.clone(),
            group: (consumer, source),
            number: member,
            turn: 0,
            positions: HashMap::new(),
            done: HashMap::new(),
        }))
    }
}

struct Topic {
    shared: Arc<Shared>,
    service: &'static str,
}

#[async_trait]
impl Publisher for Topic {
    async fn publish(&self, event: &Envelope) -> Result<(), BrokerError> {
        let mut state = self.shared.lock();
        if state.is_down {
            return Err(BrokerError("the broker in memory is down".to_owned()));
        }
        let log = state.logs.entry((self.service, event.partition(PARTITIONS))).or_default();
        log.push(Arc::new(event.clone()));
        drop(state);
        self.shared.changed.notify_waiters();
        Ok(())
    }
}

struct Member {
    shared: Arc<Shared>,
    group: (&'static str, &'static str),
    number: u64,
    /// The group's, when it was looked at last.
    turn: u64,
    /// By partition: what is read next. Only of those that are ours.
    positions: HashMap<u32, usize>,
    /// By partition: what is done beyond what comes before it.
    done: HashMap<u32, HashSet<usize>>,
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
            self.positions.clear();
            self.done.clear();
        }
        for partition in 0..PARTITIONS {
            if !group.owns(self.number, partition) {
                self.positions.remove(&partition);
                self.done.remove(&partition);
                continue;
            }
            let begin = group.done.get(&partition).copied().unwrap_or_default();
            let at = self.positions.entry(partition).or_insert(begin);
            let log = state.logs.get(&(self.group.1, partition));
            if let Some(envelope) = log.and_then(|log| log.get(*at)) {
                let token = u64::from(partition) * OFFSETS + *at as u64;
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
        let done = state.groups.get(&self.group).map(|group| &group.done);
        let waits = |partition| {
            let held = state.logs.get(&(self.group.1, partition)).map_or(0, Vec::len);
            let done = done.and_then(|done| done.get(&partition)).copied().unwrap_or_default();
            held.saturating_sub(done) as u64
        };
        Ok((0..PARTITIONS).map(waits).sum())
    }
}

#[async_trait]
impl Inbound for Member {
    async fn next(&mut self) -> Incoming {
        let shared = self.shared.clone();
        loop {
            let changed = shared.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if let Some(incoming) = self.poll() {
                return incoming;
            }
            changed.await;
        }
    }

    fn done(&mut self, token: u64) {
        let (partition, at) = ((token / OFFSETS) as u32, (token % OFFSETS) as usize);
        let shared = self.shared.clone();
        let mut state = shared.lock();
        let Some(group) = state.groups.get_mut(&self.group) else { return };
        if !group.owns(self.number, partition) {
            return;
        }
        let upto = group.done.entry(partition).or_default();
        if group.turn != self.turn || at < *upto {
            // Given before it was to begin anew: it is given again.
            return;
        }
        let waiting = self.done.entry(partition).or_default();
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
        drop(state);
        self.shared.changed.notify_waiters();
    }
}
