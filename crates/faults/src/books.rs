//! What must hold once the shop is quiet again.

use std::time::Duration;

use checker::Report;

use crate::load::Load;

const LOOK: Duration = Duration::from_millis(250);

/// What the books say.
#[derive(Debug)]
pub struct Balance {
    /// Until every invariant held.
    pub settled: Duration,
    /// How many rows, requests and charges were compared, over all invariants.
    pub looked_at: u64,
    pub violations: Vec<String>,
}

/// Asks until every invariant holds, and tells which does not if that takes too long.
pub async fn balance(load: &Load, patience: Duration) -> Balance {
    let begun = load.env.clock.monotonic();
    let took = || load.env.clock.monotonic().saturating_sub(begun);
    let (remembered, uses) = (load.remembered(), load.uses());
    loop {
        let found = std::thread::scope(|scope| {
            // On a thread of its own: it waits for the databases.
            let looking = scope.spawn(|| load.house.verify(&load.env, &remembered, &uses));
            tokio::task::block_in_place(|| looking.join())
        });
        let problems = match found {
            Ok(Ok(report)) if report.holds() => {
                let looked_at = looked_at(&report);
                return Balance { settled: took(), looked_at, violations: Vec::new() };
            }
            Ok(Ok(report)) => told(&report),
            Ok(Err(error)) => vec![format!("the checker: {error}")],
            Err(_) => vec!["the checker panicked".to_owned()],
        };
        if took() > patience {
            return Balance { settled: took(), looked_at: 0, violations: problems };
        }
        load.env.sleep(LOOK).await;
    }
}

fn looked_at(report: &Report) -> u64 {
    report.findings.iter().flat_map(|finding| &finding.looked_at).map(|count| count.count).sum()
}

fn told(report: &Report) -> Vec<String> {
    let broken = report.findings.iter().filter(|finding| !finding.holds());
    let each = broken.flat_map(|finding| {
        let invariant = finding.invariant;
        finding.violations.iter().map(move |v| format!("{invariant:?} {}: {}", v.id, v.what))
    });
    each.collect()
}
