//! Which offsets of which partitions are still being worked on. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Tokens are given out as messages come, and taken back in any order. A partition may be committed
/// up to its lowest offset that is not done.
#[derive(Default)]
pub(super) struct Ledger {
    last: u64,
    places: HashMap<u64, (i32, i64)>,
    partitions: HashMap<i32, Partition>,
    /// What may be stored and is not yet.
    ready: BTreeMap<i32, i64>,
}

#[derive(Default)]
struct Partition {
    pending: BTreeSet<i64>,
    /// Behind the highest offset that came.
    next: i64,
}

impl Ledger {
    /// A message came.
    pub(super) fn begin(&mut self, partition: i32, offset: i64) -> u64 {
        self.last += 1;
        self.places.insert(self.last, (partition, offset));
        let entry = self.partitions.entry(partition).or_default();
        entry.pending.insert(offset);
        entry.next = entry.next.max(offset + 1);
        self.last
    }

    /// Its effect is committed. Unknown tokens mean nothing.
    pub(super) fn done(&mut self, token: u64) {
        let Some((partition, offset)) = self.places.remove(&token) else { return };
        let Some(entry) = self.partitions.get_mut(&partition) else { return };
        let was_lowest = entry.pending.first() == Some(&offset);
        entry.pending.remove(&offset);
        if was_lowest {
            let lowest = entry.pending.first().copied().unwrap_or(entry.next);
            self.ready.insert(partition, lowest);
        }
    }

    /// The partition belongs to somebody else now.
    pub(super) fn forget(&mut self, partition: i32) {
        self.places.retain(|_, (of, _)| *of != partition);
        self.partitions.remove(&partition);
        self.ready.remove(&partition);
    }

    /// Partitions and where their next reader would begin, as far as that has moved.
    pub(super) fn take_ready(&mut self) -> BTreeMap<i32, i64> {
        std::mem::take(&mut self.ready)
    }

    pub(super) fn holds(&self, token: u64) -> bool {
        self.places.contains_key(&token)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_lowest_that_is_not_done_is_where_a_partition_goes_on() {
        let mut ledger = Ledger::default();
        let [a, b, c] = [10, 11, 14].map(|offset| ledger.begin(3, offset));
        ledger.done(b);
        assert!(ledger.take_ready().is_empty());
        ledger.done(a);
        assert_eq!(ledger.take_ready(), BTreeMap::from([(3, 14)]));
        ledger.done(c);
        assert_eq!(ledger.take_ready(), BTreeMap::from([(3, 15)]));
        assert_eq!(ledger.len(), 0);
    }

    #[test]
    fn a_token_of_a_lost_partition_means_nothing_even_when_the_partition_returns() {
        let mut ledger = Ledger::default();
        let old = ledger.begin(0, 7);
        ledger.forget(0);
        assert!(!ledger.holds(old));
        let new = ledger.begin(0, 7);
        ledger.done(old);
        assert!(ledger.take_ready().is_empty());
        ledger.done(new);
        assert_eq!(ledger.take_ready(), BTreeMap::from([(0, 8)]));
    }

    proptest! {
        #[test]
        fn nothing_that_is_not_done_is_ever_passed(order in Just((0..40).collect::<Vec<usize>>()).prop_shuffle()) {
            let mut ledger = Ledger::default();
            let offsets: Vec<(i32, i64)> = (0..40).map(|n| (n % 3, i64::from(n) * 2)).collect();
            let tokens: Vec<u64> = offsets.iter().map(|(p, o)| ledger.begin(*p, *o)).collect();
            let mut open: BTreeSet<usize> = (0..40).collect();
            for index in order {
                ledger.done(tokens[index]);
                open.remove(&index);
                for (partition, until) in ledger.take_ready() {
                    let passed = open.iter().any(|n| offsets[*n].0 == partition && offsets[*n].1 < until);
                    prop_assert!(!passed);
                }
            }
            prop_assert_eq!(ledger.len(), 0);
        }
    }
}
