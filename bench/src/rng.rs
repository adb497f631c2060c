//! Numbers that look random and are the same in every run.

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, good enough to choose goods with.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not zero. The bias is below 2⁻³².
    pub fn below(&mut self, end: u32) -> u32 {
        ((u64::from(end) * (self.next() >> 32)) >> 32) as u32
    }

    /// An element of a list that is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u32) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_all_of_a_range() {
        let (mut one, mut other) = (Rng::new(7), Rng::new(7));
        let mut seen = [false; 10];
        for _ in 0..1_000 {
            let number = one.below(10);
            assert_eq!(number, other.below(10));
            seen[number as usize] = true;
        }
        assert_eq!(seen, [true; 10]);
    }
}
