//! Who sleeps until when. Most sleeps are given up long before their time (a request that is answered
//! needs no time-out any more), so giving up costs next to nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;

/// A sleep, as long as it is neither over nor given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    at: u64,
    /// Of two with one time, who came first wakes first. No other ever has it.
    serial: u64,
    /// Among the sleepers.
    place: usize,
}

#[derive(Default)]
pub struct Timers {
    /// Those that were given up, too, until their time.
    due: BinaryHeap<Reverse<Key>>,
    sleepers: Vec<Sleeper>,
    free: Vec<usize>,
    serial: u64,
}

struct Sleeper {
    serial: u64,
    /// `None` when nobody sleeps here.
    waker: Option<Waker>,
}

impl Timers {
    /// Wakes at a time, once.
    pub fn add(&mut self, at: u64, waker: &Waker) -> Key {
        self.serial += 1;
        let sleeper = Sleeper { serial: self.serial, waker: Some(waker.clone()) };
        let place = self.free.pop().unwrap_or(self.sleepers.len());
        match self.sleepers.get_mut(place) {
            Some(free) => *free = sleeper,
            None => self.sleepers.push(sleeper),
        }
        let key = Key { at, serial: self.serial, place };
        self.due.push(Reverse(key));
        key
    }

    /// Somebody else is to be woken, if it is not over yet.
    pub fn update(&mut self, key: Key, waker: &Waker) {
        let sleeper = &mut self.sleepers[key.place];
        if let Some(known) = &mut sleeper.waker
            && sleeper.serial == key.serial
            && !known.will_wake(waker)
        {
            known.clone_from(waker);
        }
    }

    /// Whom to wake, if it is not over yet: nobody is, from now on.
    pub fn remove(&mut self, key: Key) -> Option<Waker> {
        let sleeper = &mut self.sleepers[key.place];
        if sleeper.serial != key.serial {
            return None;
        }
        let waker = sleeper.waker.take()?;
        self.free.push(key.place);
        Some(waker)
    }

    /// When the next sleep is over.
    pub fn first(&mut self) -> Option<u64> {
        while let Some(Reverse(key)) = self.due.peek() {
            let sleeper = &self.sleepers[key.place];
            if sleeper.serial == key.serial && sleeper.waker.is_some() {
                return Some(key.at);
            }
            self.due.pop();
        }
        None
    }

    /// Whom to wake first of those whose sleep ends at this time.
    pub fn ends(&mut self, at: u64) -> Option<Waker> {
        let first = self.first().filter(|first| *first == at);
        first.and_then(|_| self.due.pop()).and_then(|Reverse(key)| self.remove(key))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::Wake;

    use super::*;

    struct Note(u64, Arc<AtomicU64>);

    impl Wake for Note {
        fn wake(self: Arc<Self>) {
            self.1.store(self.0, Ordering::Relaxed);
        }
    }

    /// Wakers that tell who of them was woken last.
    fn wakers() -> (impl Fn(u64) -> Waker, impl Fn(Option<Waker>) -> Option<u64>) {
        let last = Arc::new(AtomicU64::new(0));
        let told = last.clone();
        let woken = move |waker: Option<Waker>| {
            waker.map(|waker| {
                waker.wake();
                told.load(Ordering::Relaxed)
            })
        };
        (move |number| Waker::from(Arc::new(Note(number, last.clone()))), woken)
    }

    #[test]
    fn sleepers_wake_by_their_times_and_then_in_the_order_in_which_they_came() {
        let (waker, woken) = wakers();
        let mut timers = Timers::default();
        for (number, at) in [(1, 30), (2, 10), (3, 30), (4, 20)] {
            timers.add(at, &waker(number));
        }
        let mut seen = Vec::new();
        while let Some(at) = timers.first() {
            while let Some(number) = woken(timers.ends(at)) {
                seen.push((at, number));
            }
        }
        assert_eq!(seen, [(10, 2), (20, 4), (30, 1), (30, 3)]);
    }

    #[test]
    fn who_gave_up_wakes_nobody_though_another_sleeps_in_the_same_place() {
        let (waker, woken) = wakers();
        let mut timers = Timers::default();
        let first = timers.add(10, &waker(1));
        assert!(timers.remove(first).is_some());
        let second = timers.add(20, &waker(2));
        assert_eq!(first.place, second.place);
        assert!(timers.remove(first).is_none());
        timers.update(first, &waker(7));
        assert_eq!(timers.first(), Some(20));
        timers.update(second, &waker(3));
        assert_eq!(woken(timers.ends(20)), Some(3));
        assert_eq!(timers.first(), None);
        assert!(timers.remove(second).is_none());
    }
}
