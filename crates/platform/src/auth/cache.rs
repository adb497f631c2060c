//! A bounded map in shards: what was verified a moment ago need not be verified again.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use ahash::{AHashMap, RandomState};

const SHARDS: usize = 16;
/// Entries a shard; a full one is emptied, so memory stays bounded under a flood of tokens.
const PER_SHARD: usize = 1024;

pub(super) struct Cache<K, V> {
    hasher: RandomState,
    shards: [Mutex<AHashMap<K, V>>; SHARDS],
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), shards: std::array::from_fn(|_| Mutex::default()) }
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.shard(key).lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(super) fn put(&self, key: K, value: V, still_good: impl Fn(&V) -> bool) {
        let mut shard = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= PER_SHARD {
            shard.retain(|_, value| still_good(value));
            if shard.len() >= PER_SHARD {
                shard.clear();
            }
        }
        shard.insert(key, value);
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.shard(key).lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> &Mutex<AHashMap<K, V>> {
        &self.shards[(self.hasher.hash_one(key) as usize) % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_keys_stays_bounded() {
        let cache = Cache::new();
        for key in 0..100_000_u32 {
            cache.put(key, (), |()| true);
        }
        let held: usize = cache.shards.iter().map(|s| s.lock().unwrap().len()).sum();
        assert!(held <= SHARDS * PER_SHARD, "{held}");
        assert!(cache.get(&99_999).is_some());
        cache.remove(&99_999);
        assert!(cache.get(&99_999).is_none());
    }
}
