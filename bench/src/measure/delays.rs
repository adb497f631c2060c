//! How long events took from their publisher's decision to the effect, as the shop counts it.

use std::collections::BTreeMap;

const BUCKET: &str = "mercat_event_delay_seconds_bucket{";

/// Deliveries by the upper bound in microseconds that they did not exceed; the last is without bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delays(BTreeMap<u64, u64>);

impl Delays {
    /// Of all consumers of one process.
    pub fn parse(text: &str) -> Self {
        let mut counts = BTreeMap::new();
        for line in text.lines() {
            let Some((labels, value)) =
                line.strip_prefix(BUCKET).and_then(|rest| rest.rsplit_once("} "))
            else {
                continue;
            };
            let bound = labels.split(',').find_map(|label| label.strip_prefix("le=\""));
            let bound = bound.map(|bound| bound.trim_end_matches('"'));
            let bound = bound.and_then(|bound| match bound {
                "+Inf" => Some(u64::MAX),
                seconds => Some((seconds.parse::<f64>().ok()? * 1e6).round() as u64),
            });
            if let (Some(bound), Ok(value)) = (bound, value.trim().parse::<f64>()) {
                *counts.entry(bound).or_insert(0) += value as u64;
            }
        }
        Self(counts)
    }

    pub fn add(&mut self, other: &Self) {
        for (bound, count) in &other.0 {
            *self.0.entry(*bound).or_insert(0) += count;
        }
    }

    /// What was counted between `earlier` and this.
    pub fn since(&self, earlier: &Self) -> Self {
        let count = |(bound, count): (&u64, &u64)| {
            (*bound, count.saturating_sub(earlier.0.get(bound).copied().unwrap_or(0)))
        };
        Self(self.0.iter().map(count).collect())
    }

    pub fn count(&self) -> u64 {
        self.0.values().next_back().copied().unwrap_or(0)
    }

    /// Milliseconds that `part` (0 to 1) of the deliveries did not exceed, taken as evenly spread
    /// within a bucket; `None` without deliveries, or when it lies beyond the last bound.
    pub fn quantile_ms(&self, part: f64) -> Option<f64> {
        let rank = self.count() as f64 * part;
        let (mut below, mut under) = (0, 0_u64);
        for (bound, count) in &self.0 {
            if *count > 0 && *count as f64 >= rank && *bound != u64::MAX {
                let share = (rank - below as f64) / count.saturating_sub(below).max(1) as f64;
                return Some((under as f64 + share * (bound - under) as f64) / 1e3);
            }
            (below, under) = (*count, *bound);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE mercat_event_delay_seconds histogram\n\
        mercat_event_delay_seconds_bucket{consumer=\"inventory.orders\",le=\"0.01\"} 40\n\
        mercat_event_delay_seconds_bucket{consumer=\"inventory.orders\",le=\"0.025\"} 50\n\
        mercat_event_delay_seconds_bucket{consumer=\"inventory.orders\",le=\"+Inf\"} 50\n\
        mercat_event_delay_seconds_sum{consumer=\"inventory.orders\"} 3\n\
        mercat_event_delay_seconds_bucket{consumer=\"payment.orders\",le=\"0.01\"} 40\n\
        mercat_event_delay_seconds_bucket{consumer=\"payment.orders\",le=\"0.025\"} 49\n\
        mercat_event_delay_seconds_bucket{consumer=\"payment.orders\",le=\"+Inf\"} 50\n";

    #[test]
    fn quantiles_are_of_all_consumers_together() {
        let delays = Delays::parse(TEXT);
        assert_eq!(delays.count(), 100);
        assert!((delays.quantile_ms(0.4).unwrap() - 5.0).abs() < 1e-9);
        assert!((delays.quantile_ms(0.8).unwrap() - 10.0).abs() < 1e-9);
        assert!((delays.quantile_ms(0.99).unwrap() - 25.0).abs() < 1e-9);
        assert_eq!(delays.quantile_ms(1.0), None);
        assert_eq!(Delays::default().quantile_ms(0.5), None);
    }

    #[test]
    fn two_moments_subtract_and_two_processes_add_up() {
        let now = Delays::parse(TEXT);
        let mut twice = now.clone();
        twice.add(&now);
        assert_eq!(twice.since(&now), now);
        assert_eq!(now.since(&now).count(), 0);
    }
}
