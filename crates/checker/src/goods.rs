//! Which variants, and how many of each: in 32 bytes, to be compared between databases.

use std::collections::BTreeMap;

use kernel::id::Uuid;
use sha2::{Digest, Sha256};

pub fn hash(lines: impl Iterator<Item = (Uuid, u64)>) -> Vec<u8> {
    let mut units: BTreeMap<Uuid, u64> = BTreeMap::new();
    for (variant, quantity) in lines {
        *units.entry(variant).or_default() += quantity;
    }
    let mut hash = Sha256::new();
    for (variant, quantity) in units {
        hash.update(variant.as_bytes());
        hash.update(quantity.to_be_bytes());
    }
    hash.finalize().to_vec()
}
