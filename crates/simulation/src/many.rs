//! Many seeds on all cores, and the sum of what they found.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use simulation::{Verdict, run};

use crate::output::line;

pub struct Wish {
    pub seeds: u64,
    pub from: u64,
    pub threads: usize,
}

/// One seed in so many is played twice: both must go the same way.
const TWICE: u64 = 100;
/// So many seeds must have reached every mark.
const ENOUGH_FOR_MARKS: u64 = 3_000;
/// Of failing seeds so many are told.
const TOLD: usize = 10;

#[derive(Default)]
struct Sum {
    seeds: u64,
    twice: u64,
    struck: BTreeMap<&'static str, u64>,
    marks: BTreeMap<&'static str, u64>,
    requests: u64,
    purchases: u64,
    looked_at: u64,
    events: u64,
    lasted: Duration,
    failed: BTreeMap<u64, Vec<String>>,
}

impl Sum {
    fn add(&mut self, verdict: Verdict) {
        self.seeds += 1;
        for (fault, times) in verdict.struck {
            *self.struck.entry(fault.name()).or_default() += times;
        }
        for (mark, times) in verdict.marks {
            *self.marks.entry(mark).or_default() += times;
        }
        self.requests += verdict.requests;
        self.purchases += verdict.purchases;
        self.looked_at += verdict.looked_at;
        self.events += verdict.events;
        self.lasted += verdict.lasted;
        if !verdict.faults_found.is_empty() {
            self.failed.insert(verdict.seed, verdict.faults_found);
        }
    }
}

/// Plays them all. True when nothing was found.
pub fn play(wish: &Wish) -> bool {
    let next = AtomicU64::new(wish.from);
    let end = wish.from.saturating_add(wish.seeds);
    let sum = Mutex::new(Sum::default());
    let bar = ProgressBar::new(wish.seeds);
    let style = "{bar:40} {pos}/{len} seeds, {per_sec}, {eta} left {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    std::thread::scope(|scope| {
        for _ in 0..wish.threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let verdict = judged(seed);
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    sum.twice += u64::from(seed.is_multiple_of(TWICE));
                    if !verdict.faults_found.is_empty() && sum.failed.len() < TOLD {
                        bar.suspend(|| tell(&verdict));
                    }
                    sum.add(verdict);
                    bar.inc(1);
                }
            });
        }
    });
    let took = bar.elapsed();
    bar.finish_and_clear();
    let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary(&sum, took);
    sum.failed.is_empty() && no_mark_is_missing(&sum)
}

fn judged(seed: u64) -> Verdict {
    let mut verdict = run(seed, false);
    if seed.is_multiple_of(TWICE) {
        let again = run(seed, false);
        if (again.hash, again.events) != (verdict.hash, verdict.events) {
            let what =
                format!("played twice, it went two ways: {:x} and {:x}", verdict.hash, again.hash);
            verdict.faults_found.push(what);
        }
    }
    verdict
}

fn tell(verdict: &Verdict) {
    for fault in verdict.faults_found.iter().take(5) {
        line(format_args!("seed {}: {fault}", verdict.seed));
    }
    line(format_args!("replay it with: cargo xtask simulate --seed {}", verdict.seed));
}

fn summary(sum: &Sum, took: Duration) {
    let rate = sum.seeds as f64 / took.as_secs_f64().max(0.001);
    line(format_args!(
        "{} seeds in {:.1} s, {rate:.1} a second; {} of them twice; {} hours of virtual time",
        sum.seeds,
        took.as_secs_f64(),
        sum.twice,
        sum.lasted.as_secs() / 3600,
    ));
    line(format_args!(
        "{} turns of tasks, {} requests, {} purchases; the checker looked at {} things",
        sum.events, sum.requests, sum.purchases, sum.looked_at
    ));
    let total: u64 = sum.struck.values().sum();
    line(format_args!("{total} faults:"));
    for (fault, times) in &sum.struck {
        line(format_args!("{times:>10}  {fault}"));
    }
    line("rare paths that were taken:");
    for (mark, times) in &sum.marks {
        line(format_args!("{times:>10}  {mark}"));
    }
    let failed: Vec<String> = sum.failed.keys().take(50).map(ToString::to_string).collect();
    if failed.is_empty() {
        line("nothing was found");
    } else {
        line(format_args!("{} seeds FAILED: {}", sum.failed.len(), failed.join(", ")));
    }
}

/// A run that is long enough has been everywhere.
fn no_mark_is_missing(sum: &Sum) -> bool {
    if sum.seeds < ENOUGH_FOR_MARKS {
        return true;
    }
    let missing: Vec<_> =
        simulation::MARKS.iter().filter(|mark| !sum.marks.contains_key(**mark)).collect();
    for mark in &missing {
        line(format_args!("NEVER REACHED: {mark}"));
    }
    missing.is_empty()
}
