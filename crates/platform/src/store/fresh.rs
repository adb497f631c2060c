//! Answers of projections that hold until something is committed.

use std::hash::Hash;

use quick_cache::sync::Cache;

use super::Store;

/// Keeps what queries found, each entry until the next change of any aggregate of the service: for
/// facts that are read on every request and change rarely.
///
/// Over an engine that others write to as well it keeps nothing.
pub struct UntilCommit<K, V> {
    store: Store,
    entries: Cache<K, (u64, V)>,
}

impl<K: Eq + Hash, V: Clone> UntilCommit<K, V> {
    /// Keeps `entries` at most; those that are not used go first.
    pub fn new(store: Store, entries: usize) -> Self {
        Self { store, entries: Cache::new(entries) }
    }

    /// The state of the service now: to be asked before the read whose result is kept.
    pub fn commits(&self) -> Option<u64> {
        self.store.cache().map(|cache| cache.commits())
    }

    pub fn get(&self, commits: Option<u64>, key: &K) -> Option<V> {
        let (at, value) = self.entries.get(key)?;
        (Some(at) == commits).then_some(value)
    }

    pub fn keep(&self, commits: Option<u64>, key: K, value: V) {
        if let Some(commits) = commits {
            self.entries.insert(key, (commits, value));
        }
    }
}
