//! Latencies, counted into buckets that are at most 1.6 % wide.

use std::time::Duration;

/// Buckets between two powers of two.
const STEPS: u64 = 64;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Microseconds up to 2³⁶: 19 hours.
const BUCKETS: usize = (36 - STEP_BITS as usize + 1) * STEPS as usize;

/// Counts microseconds. Merging two histograms gives the one that saw the samples of both.
#[derive(Clone)]
pub struct Histogram {
    counts: Box<[u64]>,
    total: u64,
    max_us: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS].into(), total: 0, max_us: 0 }
    }
}

impl Histogram {
    pub fn record(&mut self, time: Duration) {
        self.record_us(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    fn record_us(&mut self, us: u64) {
        self.counts[bucket(us)] += 1;
        self.total += 1;
        self.max_us = self.max_us.max(us);
    }

    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.max_us = self.max_us.max(other.max_us);
    }

    /// Milliseconds that `part` (0 to 1) of all samples did not exceed; 0 without samples.
    pub fn quantile_ms(&self, part: f64) -> f64 {
        let rank = ((self.total as f64 * part).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_us(index).min(self.max_us) as f64 / 1000.0;
            }
        }
        self.max_ms()
    }

    pub fn max_ms(&self) -> f64 {
        self.max_us as f64 / 1000.0
    }
}

/// Below 64 each number has its own; above, the leading seven bits decide.
fn bucket(us: u64) -> usize {
    let bits = 64 - us.leading_zeros();
    let shift = bits.saturating_sub(STEP_BITS + 1);
    let index = u64::from(shift) * STEPS + (us >> shift);
    (index as usize).min(BUCKETS - 1)
}

/// The greatest number of a bucket.
fn upper_us(index: usize) -> u64 {
    let index = index as u64;
    let shift = (index / STEPS).saturating_sub(1);
    ((index - shift * STEPS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_lies_in_a_bucket_that_is_narrow() {
        let mut before = 0;
        for us in (0..200_000).chain([1 << 20, (1 << 30) + 12_345, (1 << 35) + 1]) {
            let index = bucket(us);
            assert!(index >= before, "{us}");
            before = index;
            let upper = upper_us(index);
            assert!(upper >= us, "{us} lies above its bucket, which ends at {upper}");
            assert!((upper - us) as f64 <= us as f64 / 63.0, "{us} reads as {upper}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_the_samples() {
        let mut histogram = Histogram::default();
        assert!(histogram.quantile_ms(0.5).abs() < f64::EPSILON);
        for us in 1..=10_000_u64 {
            histogram.record(Duration::from_micros(us));
        }
        for (part, ms) in [(0.5, 5.0), (0.9, 9.0), (0.99, 9.9)] {
            let read = histogram.quantile_ms(part);
            assert!((read - ms).abs() / ms < 0.017, "{part}: {read}");
        }
        assert!((histogram.quantile_ms(1.0) - 10.0).abs() < f64::EPSILON);
        assert!((histogram.max_ms() - 10.0).abs() < f64::EPSILON);
    }

    #[test]
    fn merging_is_the_same_as_recording_everything_in_one() {
        let (mut all, mut odd, mut even) = Default::default();
        for us in 0..5_000 {
            let part: &mut Histogram = if us % 2 == 0 { &mut even } else { &mut odd };
            part.record_us(us * 3);
            Histogram::record_us(&mut all, us * 3);
        }
        odd.merge(&even);
        assert_eq!(odd.counts, all.counts);
        assert_eq!((odd.total, odd.max_us), (all.total, all.max_us));
    }
}
