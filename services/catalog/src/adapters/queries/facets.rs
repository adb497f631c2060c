//! Counts what the matches of a search have in common, the same on every engine.

use std::collections::HashMap;

use ahash::AHashMap;
use kernel::id::Uuid;

use super::row::{CATEGORY, TAG, VENDOR, label, labels_of};
use crate::domain::CategoryId;
use crate::ports::{Facet, Facets, MAX_FACET_VALUES};

/// Labels are counted up to this many different ones, and up to this many bytes of them; beyond,
/// the facets are not exact.
const MAX_DIFFERENT: usize = 20_000;
const MAX_BYTES: usize = 8 << 20;

/// What was counted so far.
#[derive(Default)]
pub(super) struct Tally {
    /// By kind, then by name as products write it.
    names: AHashMap<char, AHashMap<Box<str>, u64>>,
    different: usize,
    bytes: usize,
    price: Option<(i64, i64)>,
    overflown: bool,
}

impl Tally {
    /// Takes note of one match, by its labels as a row keeps them and its prices.
    pub fn note(&mut self, labels: &str, price: Option<(i64, i64)>) {
        if let Some((min, max)) = price {
            self.price = Some(self.price.map_or((min, max), |(a, b)| (a.min(min), b.max(max))));
        }
        self.bytes += labels.len();
        if self.bytes > MAX_BYTES {
            self.overflown = true;
            return;
        }
        for (kind, name) in labels_of(labels) {
            let names = self.names.entry(kind).or_default();
            if let Some(count) = names.get_mut(name) {
                *count += 1;
            } else if self.different < MAX_DIFFERENT {
                self.different += 1;
                names.insert(name.into(), 1);
            } else {
                self.overflown = true;
            }
        }
    }

    /// All categories that were counted.
    #[cfg(feature = "postgres")]
    pub fn categories(&self) -> Vec<Uuid> {
        let names = self.names.get(&CATEGORY).into_iter().flat_map(|names| names.keys());
        names.filter_map(|name| name.parse().ok()).collect()
    }

    /// Most frequent first, then by label; of several spellings the most frequent one is shown.
    pub fn finish(self, exact: bool, mut exists: impl FnMut(CategoryId) -> bool) -> Facets {
        let names = self.names.into_iter().flat_map(|(kind, names)| {
            names.into_iter().map(move |(name, count)| (kind, name, count))
        });
        let mut names: Vec<(char, Box<str>, u64)> = names.collect();
        names.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.1.cmp(&b.1)));
        let mut labels: HashMap<(char, String), (u64, Box<str>)> = HashMap::new();
        for (kind, name, count) in names {
            labels.entry((kind, label(&name))).or_insert((0, name)).0 += count;
        }
        let mut sorted: Vec<_> = labels.into_iter().collect();
        sorted.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
        let exact = exact && !self.overflown;
        let mut facets = Facets { price: self.price, exact, ..Facets::default() };
        for ((kind, label), (count, name)) in sorted {
            let value = String::from(name);
            match kind {
                TAG if facets.tags.len() < MAX_FACET_VALUES => {
                    facets.tags.push(Facet { value, count });
                }
                VENDOR if facets.vendors.len() < MAX_FACET_VALUES => {
                    facets.vendors.push(Facet { value, count });
                }
                CATEGORY if facets.categories.len() < MAX_FACET_VALUES => {
                    let id = label.parse::<Uuid>().ok().map(CategoryId::from_uuid);
                    if let Some(value) = id.filter(|id| exists(*id)) {
                        facets.categories.push(Facet { value, count });
                    }
                }
                _ => {}
            }
        }
        facets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_count_together_and_the_usual_one_is_shown() {
        let mut tally = Tally::default();
        tally.note("tGold\nvAcme\n", Some((5, 9)));
        tally.note("tgold\n", None);
        tally.note("tGold\n", Some((2, 3)));
        let facets = tally.finish(true, |_| true);
        assert_eq!(facets.tags, [Facet { value: "Gold".to_owned(), count: 3 }]);
        assert_eq!((facets.price, facets.exact), (Some((2, 9)), true));
    }

    #[test]
    fn more_labels_than_can_be_counted_are_told() {
        let mut tally = Tally::default();
        for n in 0..=MAX_DIFFERENT {
            tally.note(&format!("ttag {n}\n"), None);
        }
        let facets = tally.finish(true, |_| true);
        assert_eq!((facets.tags.len(), facets.exact), (MAX_FACET_VALUES, false));
    }
}
