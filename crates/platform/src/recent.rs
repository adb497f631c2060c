//! A bounded map of what was used of late.

use std::borrow::Borrow;
use std::hash::Hash;

use ahash::AHashMap;

/// Remembers about as many entries as it may, in two generations: when the younger is full it
/// becomes the older, and the older is forgotten. Whatever is used now and then survives.
#[derive(Debug)]
pub struct Recent<K, V> {
    young: AHashMap<K, V>,
    old: AHashMap<K, V>,
    generation: usize,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// Remembers at most `most` entries, and at least half of it.
    pub fn new(most: usize) -> Self {
        Self { young: AHashMap::new(), old: AHashMap::new(), generation: most.div_ceil(2).max(1) }
    }

    /// Looks without using: an entry that is only looked at is forgotten in time.
    pub fn peek<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    pub fn put(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.generation && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_what_is_used_survives() {
        let mut recent = Recent::new(20);
        for n in 0..10_000 {
            if n % 5 == 0 {
                recent.put(-1, n);
            }
            recent.put(n, n);
            assert!(recent.len() <= 20, "{}", recent.len());
        }
        assert_eq!(recent.peek(&-1), Some(&9_995));
        assert_eq!(recent.peek(&9_999), Some(&9_999));
        assert_eq!(recent.peek(&5), None);
        recent.remove(&9_999);
        assert_eq!(recent.peek(&9_999), None);
    }

    #[test]
    fn there_is_one_value_a_key_in_whichever_generation_it_was() {
        let mut recent = Recent::new(2);
        recent.put("a", 1);
        recent.put("b", 2);
        recent.put("a", 3);
        assert_eq!((recent.remove("a"), recent.remove("a")), (Some(3), None));
        assert_eq!(recent.len(), 1);
    }
}
