//! A hundred seeds, as many as a build without optimizations plays in a minute.
//! `cargo xtask simulate` plays thousands.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const FROM: u64 = 1_001;
const SEEDS: u64 = 100;

#[test]
fn a_hundred_seeds_find_nothing() {
    let next = AtomicU64::new(FROM);
    let found = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= FROM + SEEDS {
                        return;
                    }
                    let verdict = simulation::run(seed, false);
                    let faults = verdict.faults_found.into_iter();
                    found
                        .lock()
                        .unwrap()
                        .extend(faults.map(|fault| format!("seed {seed}: {fault}")));
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert_eq!(found, Vec::<String>::new(), "replay one with `cargo xtask simulate --seed N`");
}
