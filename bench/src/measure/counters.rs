//! What the shop itself counts, read from its Prometheus text.

use std::collections::BTreeMap;

/// Work of the stores since the shop started, by service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreCounters {
    pub statements: BTreeMap<String, u64>,
    pub commits: BTreeMap<String, u64>,
}

impl StoreCounters {
    pub fn parse(text: &str) -> Self {
        Self {
            statements: by_service(text, "mercat_store_statements_total"),
            commits: by_service(text, "mercat_store_commits_total"),
        }
    }

    /// Those of another process beside these.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in
            [(&mut self.statements, &other.statements), (&mut self.commits, &other.commits)]
        {
            for (service, count) in theirs {
                *mine.entry(service.clone()).or_insert(0) += count;
            }
        }
    }

    /// What was counted between `earlier` and this.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            statements: difference(&self.statements, &earlier.statements),
            commits: difference(&self.commits, &earlier.commits),
        }
    }
}

fn difference(now: &BTreeMap<String, u64>, then: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    now.iter()
        .map(|(name, count)| {
            (name.clone(), count.saturating_sub(then.get(name).copied().unwrap_or(0)))
        })
        .collect()
}

fn by_service(text: &str, metric: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix(metric) else { continue };
        let Some((labels, value)) = rest.strip_prefix('{').and_then(|rest| rest.rsplit_once("} "))
        else {
            continue;
        };
        let service = labels.split(',').find_map(|label| label.strip_prefix("service=\""));
        if let (Some(service), Ok(value)) = (service, value.trim().parse::<f64>()) {
            *counts.entry(service.trim_end_matches('"').to_owned()).or_insert(0) += value as u64;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_by_service_and_subtracted() {
        let text = "# TYPE mercat_store_commits_total counter\n\
                    mercat_store_commits_total{service=\"ordering\"} 12\n\
                    mercat_store_commits_total_other{service=\"ordering\"} 99\n\
                    mercat_store_statements_total{engine=\"sqlite\",service=\"payment\"} 5\n";
        let now = StoreCounters::parse(text);
        assert_eq!(now.commits, BTreeMap::from([("ordering".to_owned(), 12)]));
        assert_eq!(now.statements, BTreeMap::from([("payment".to_owned(), 5)]));
        let then = StoreCounters::parse("mercat_store_commits_total{service=\"ordering\"} 2\n");
        assert_eq!(now.since(&then).commits["ordering"], 10);
    }
}
