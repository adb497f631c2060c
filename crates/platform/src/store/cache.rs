//! What this process has lately read and written, in memory: states as they were last committed.
//!
//! Only over an engine that nobody else writes to. The executor decides on remembered states and
//! writes them back through here; readers are answered from here, and leave here what they read
//! unless something was committed meanwhile, so an old state can never replace a newer one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use kernel::id::Uuid;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::aggregate::AggregateType;
use super::engine::{RawRow, State};

/// A state in memory takes about this many times its JSON, by measure of carts and orders.
const BLOAT: u64 = 2;
/// What an entry costs beside its state.
const ENTRY: u64 = 160;

#[derive(Clone)]
pub(crate) struct Remembered {
    pub version: u64,
    pub seq: u64,
    pub state: State,
    /// Did this process write the row? Only then its columns are known to be those of its state:
    /// a migration may have touched them, or an older version have derived them otherwise.
    pub written: bool,
    weight: u64,
}

impl Remembered {
    /// `text` is the length of the state as JSON.
    pub(crate) fn new(version: u64, seq: u64, state: State, text: usize) -> Self {
        Self { version, seq, state, written: false, weight: ENTRY + BLOAT * text as u64 }
    }

    pub(crate) fn written(self) -> Self {
        Self { written: true, ..self }
    }

    pub(crate) fn parse(aggregate: &AggregateType, row: &RawRow) -> Result<Self, String> {
        let state = (aggregate.parse)(&row.state)
            .map_err(|error| format!("{} {} cannot be read: {error}", aggregate.table, row.id))?;
        Ok(Self::new(row.version, row.seq, state, row.state.len()))
    }
}

type Key = (&'static str, Uuid);

#[derive(Clone)]
struct ByWeight;

impl Weighter<Key, Remembered> for ByWeight {
    fn weight(&self, _key: &Key, value: &Remembered) -> u64 {
        value.weight
    }
}

/// Bounded by weight; the least used go first.
pub(crate) struct StateCache {
    states: Cache<Key, Remembered, ByWeight>,
    commits: AtomicU64,
    filling: Mutex<()>,
}

impl StateCache {
    pub(crate) fn new(bytes: u64) -> Self {
        // What an order or a cart goes through is over soon and does not come back: what was used
        // last counts for more than what was used often, and a shard must hold many of them.
        let options = OptionsBuilder::new()
            .estimated_items_capacity((bytes / 4096).max(64) as usize)
            .weight_capacity(bytes)
            .hot_allocation(0.5)
            .shards(2)
            .build()
            .expect("both capacities are set");
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self {
            states: Cache::with_options(options, ByWeight, hasher, lifecycle),
            commits: AtomicU64::new(0),
            filling: Mutex::new(()),
        }
    }

    pub(crate) fn get(&self, table: &'static str, id: Uuid) -> Option<Remembered> {
        self.states.get(&(table, id))
    }

    /// To be asked before the read whose result goes to [`StateCache::fill`].
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    /// Takes what was read, if nothing was committed since `commits`.
    pub(crate) fn fill(&self, commits: u64, table: &'static str, id: Uuid, read: Remembered) {
        let _alone = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
        if self.commits() == commits {
            self.states.insert((table, id), read);
        }
    }

    /// After a commit, before anybody is told of it. `None` was deleted.
    pub(crate) fn committed(&self, changes: impl IntoIterator<Item = (Key, Option<Remembered>)>) {
        let _alone = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
        self.commits.fetch_add(1, Ordering::AcqRel);
        for (key, state) in changes {
            match state {
                Some(state) => self.states.insert(key, state),
                None => {
                    self.states.remove(&key);
                }
            }
        }
    }

    /// When it is not known what the database holds now.
    pub(crate) fn forget(&self, keys: impl IntoIterator<Item = Key>) {
        self.committed(keys.into_iter().map(|key| (key, None)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn remembered(version: u64) -> Remembered {
        Remembered::new(version, 0, Arc::new(version), 100)
    }

    #[test]
    fn a_read_that_was_overtaken_by_a_commit_is_not_kept() {
        let cache = StateCache::new(1 << 20);
        let (table, id) = ("cart", Uuid::from_u128(1));
        let before = cache.commits();
        cache.committed([((table, id), Some(remembered(2)))]);
        cache.fill(before, table, id, remembered(1));
        assert_eq!(cache.get(table, id).unwrap().version, 2);
        cache.committed([((table, id), None)]);
        cache.fill(before, table, id, remembered(1));
        assert!(cache.get(table, id).is_none());
        cache.fill(cache.commits(), table, id, remembered(3));
        assert_eq!(cache.get(table, id).unwrap().version, 3);
    }

    #[test]
    fn what_it_holds_is_bounded_by_weight() {
        let cache = StateCache::new(64 * 1024);
        for n in 0..1_000 {
            cache.committed([(("cart", Uuid::from_u128(n)), Some(remembered(1)))]);
        }
        assert!(cache.states.weight() <= 64 * 1024);
        assert!(cache.states.len() > 50);
        let newest = Uuid::from_u128(999);
        assert!(cache.get("cart", newest).is_some(), "what came last is there");
    }
}
