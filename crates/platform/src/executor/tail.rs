//! The end of the outbox, in memory: what was just committed goes to the relay without being read
//! back, and what was delivered is deleted by the next batch that commits anyway.
//!
//! The table is the truth. A relay reads it when it starts, and when it was too slow to follow.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, broadcast};

use crate::event::Envelope;
use crate::store::Waiting;

/// How many events wait here at most for a relay; further ones wait in the table only.
const ROOM: usize = 4096;

/// How far whoever watches may fall behind.
const WATCHED: usize = 1024;

pub(crate) struct Tail {
    state: Mutex<State>,
    committed: Notify,
    forgotten: AtomicU64,
    watchers: broadcast::Sender<Arc<Envelope>>,
}

impl Default for Tail {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            committed: Notify::new(),
            forgotten: AtomicU64::new(0),
            watchers: broadcast::Sender::new(WATCHED),
        }
    }
}

#[derive(Default)]
struct State {
    /// A relay follows; without one nothing is kept here.
    followed: bool,
    fresh: Vec<Waiting>,
    /// Events were left out: the relay has to read the table.
    overflowed: bool,
    done: Vec<i64>,
}

impl Tail {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on committed events are kept for the caller.
    pub(crate) fn follow(&self) {
        let mut state = self.lock();
        state.followed = true;
        state.overflowed = true;
    }

    /// What was committed since the last call, in order. `true`: the table holds events that were
    /// never given out here.
    pub(crate) fn take(&self) -> (Vec<Waiting>, bool) {
        let mut state = self.lock();
        (std::mem::take(&mut state.fresh), std::mem::take(&mut state.overflowed))
    }

    /// Resolves after each commit that wrote events.
    pub(crate) async fn committed(&self) {
        self.committed.notified().await;
    }

    /// Each event that is committed from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Arc<Envelope>> {
        self.watchers.subscribe()
    }

    /// Shows committed events to those who watch.
    pub(super) fn show(&self, events: &[Arc<Envelope>]) {
        if self.watchers.receiver_count() > 0 {
            for event in events {
                // Whoever watched may have gone meanwhile.
                let _ = self.watchers.send(event.clone());
            }
        }
    }

    pub(super) fn push(&self, events: impl ExactSizeIterator<Item = Waiting>) {
        let mut state = self.lock();
        if state.followed {
            // All or nothing of a batch, and nothing behind what was left out: order holds.
            if state.overflowed || state.fresh.len() + events.len() > ROOM {
                state.overflowed = true;
            } else {
                state.fresh.extend(events);
            }
        }
        drop(state);
        self.committed.notify_one();
    }

    /// A commit ended without an answer: what it may have written stands in the table alone, and in
    /// front of whatever is pushed from now on.
    pub(super) fn lost_sight(&self) {
        crate::sometimes::reached("events of a commit without an answer are read from the table");
        self.lock().overflowed = true;
        self.committed.notify_one();
    }

    pub(super) fn done(&self, places: Vec<i64>) {
        self.lock().done.extend(places);
    }

    pub(crate) fn has_done(&self) -> bool {
        !self.lock().done.is_empty()
    }

    pub(super) fn take_done(&self) -> Vec<i64> {
        std::mem::take(&mut self.lock().done)
    }

    pub(super) fn count_forgotten(&self, answers: u32) {
        self.forgotten.fetch_add(u64::from(answers), Ordering::AcqRel);
    }

    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(place: i64) -> Waiting {
        Waiting::of_a_thing(place, place.unsigned_abs())
    }

    fn places(tail: &Tail) -> (Vec<i64>, bool) {
        let (fresh, is_behind) = tail.take();
        (fresh.iter().map(|waiting| waiting.place).collect(), is_behind)
    }

    /// A relay that took the second would never look for the first again.
    #[test]
    fn nothing_overtakes_what_a_commit_without_an_answer_may_have_written() {
        let tail = Tail::default();
        tail.follow();
        assert_eq!(places(&tail), (vec![], true));
        tail.push(vec![event(1)].into_iter());
        tail.lost_sight();
        tail.push(vec![event(3)].into_iter());
        assert_eq!(places(&tail), (vec![1], true));
        tail.push(vec![event(4)].into_iter());
        assert_eq!(places(&tail), (vec![4], false));
    }
}
