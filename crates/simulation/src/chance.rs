//! Chance from one seed: xoshiro256** (Blackman, Vigna), the same on every machine and in every
//! version of this crate's dependencies.

use std::time::Duration;

pub struct Chance {
    state: [u64; 4],
}

impl Chance {
    pub fn from_seed(seed: u64) -> Self {
        let mut at = seed;
        Self { state: std::array::from_fn(|_| split_mix(&mut at)) }
    }

    pub fn draw(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let drawn = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        drawn
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.draw().to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }

    /// 0 up to, and without, `end`; 0 when there is nothing to draw from.
    pub fn below(&mut self, end: u64) -> u64 {
        // The product's upper half: no division, and a bias that nobody can measure.
        ((u128::from(self.draw()) * u128::from(end)) >> 64) as u64
    }

    /// `from` up to, and without, `end`.
    pub fn between(&mut self, from: u64, end: u64) -> u64 {
        from + self.below(end.saturating_sub(from))
    }

    /// True in `per_10_000` of 10,000 draws.
    pub fn strikes(&mut self, per_10_000: u32) -> bool {
        per_10_000 > 0 && self.below(10_000) < u64::from(per_10_000)
    }

    /// One of them.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }

    /// Short ones are more likely than long ones, and a few are next to nothing.
    pub fn pause(&mut self, longest: Duration) -> Duration {
        let most = longest.as_micros() as u64 >> self.below(7);
        Duration::from_micros(self.below(most + 1))
    }
}

/// `SplitMix64`, which spreads small seeds over all bits.
fn split_mix(at: &mut u64) -> u64 {
    *at = at.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *at;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_another_draws_something_else() {
        let draw = |seed| {
            let mut chance = Chance::from_seed(seed);
            [chance.draw(), chance.below(1000), chance.between(5, 9)]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn what_is_drawn_stays_within_its_bounds() {
        let mut chance = Chance::from_seed(1);
        for _ in 0..10_000 {
            assert!(chance.below(10) < 10);
            assert!((3..8).contains(&chance.between(3, 8)));
            assert!(chance.pause(Duration::from_millis(5)) <= Duration::from_millis(5));
        }
        assert_eq!(chance.below(0), 0);
        assert!(!chance.strikes(0));
    }
}
