//! The checker is checked: a shop that makes a mistake on purpose is found out by the invariant that
//! the mistake breaks, and the same life in the same build without it is clean.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use checker::{Invariant, Look, Report};
use futures_util::{StreamExt, stream};
use platform::Env;
use testkit::{Shop, Start, Topology, seeded_bugs, sources};

use crate::lived::Lived;

/// What each seeded bug breaks.
const BUGS: [(&str, Invariant); 15] = [
    ("ignore-stock-limit", Invariant::I1),
    ("sold-stays-on-shelf", Invariant::I1),
    ("forget-release", Invariant::I2),
    ("forget-void", Invariant::I3),
    ("refund-without-ledger", Invariant::I4),
    ("forget-order", Invariant::I5),
    ("ignore-body-hash", Invariant::I6),
    ("ignore-cancellation", Invariant::I7),
    ("effect-twice", Invariant::I7),
    ("skip-version-check", Invariant::I8),
    ("timers-never-fire", Invariant::I9),
    ("charge-twice", Invariant::I10),
    ("charge-another-amount", Invariant::I11),
    ("same-refund-id", Invariant::I12),
    ("ignore-revocation", Invariant::I14),
];
/// These break no invariant. Where they are tried: a handler that panics, in row F18 of the faults.
const ELSEWHERE: [&str; 1] = ["panic-at-thirteen"];
/// Shops that live at the same time.
const AT_ONCE: usize = 3;
/// What is not so after this long is wrong for good: a shop that makes no mistakes is quiet sooner.
const QUIET: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_secs(20);

fn verify(shop: &Shop, lived: &Lived, quiet_after: Duration) -> Report {
    let data = shop.data();
    let provider = data.join("test-provider");
    let look = Look {
        now: Some(Env::system().now()),
        quiet_after,
        journal: Some(&lived.journal),
        uses: &lived.uses,
        ..Look::at(&data, &provider)
    };
    checker::verify(&look).expect("the databases can be read")
}

/// Looks until `is_it`, and answers with what was seen last.
async fn look_until(
    shop: &Shop,
    lived: &Lived,
    quiet_after: Duration,
    is_it: impl Fn(&Report) -> bool,
) -> Report {
    let looking = async {
        while !is_it(&verify(shop, lived, quiet_after)) {
            Env::system().sleep(Duration::from_millis(100)).await;
        }
    };
    let _ = Env::system().timeout(PATIENCE, looking).await;
    verify(shop, lived, quiet_after)
}

async fn life(start: Start, dies: bool) -> (Shop, Lived) {
    let shop = Shop::start(start).await;
    let mut lived = Lived::of(&shop).await;
    if dies {
        lived.dies(&shop).await;
    }
    (shop, lived)
}

fn start() -> Start {
    Start::new(env!("CARGO_BIN_EXE_mercat"), Topology::Embedded)
}

/// The invariants that found the bug out, and one sentence of the expected one.
async fn found_out(bug: &'static str, breaks: Invariant) -> (Vec<Invariant>, String) {
    let (shop, lived) = life(start().bug(bug), breaks == Invariant::I9).await;
    assert!(shop.log().contains("a seeded bug is on"), "{bug}: the program has no seeded bugs");
    let report = look_until(&shop, &lived, QUIET, |report| report.violated().contains(&breaks));
    let report = report.await;
    let finding = report.findings.iter().find(|finding| finding.invariant == breaks);
    let first = finding.and_then(|finding| finding.violations.first());
    let said = first.map(|violation| format!("{}: {}", violation.id, violation.what));
    (report.violated(), said.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_seeded_bug_is_found_out_by_the_invariant_that_it_breaks_and_none_without() {
    let (shop, lived) = life(start(), true).await;
    let report = look_until(&shop, &lived, Duration::ZERO, Report::holds).await;
    assert!(report.holds(), "without a bug: {report:#?}");
    for finding in &report.findings {
        let looked = finding.looked_at.iter().map(|count| count.count).sum::<u64>();
        assert!(looked > 0, "nothing was looked at: {finding:?}");
    }
    drop(shop);

    let runs = stream::iter(BUGS).map(async |(bug, breaks)| {
        let (violated, said) = found_out(bug, breaks).await;
        (bug, breaks, violated, said)
    });
    let runs: Vec<_> = runs.buffered(AT_ONCE).collect().await;
    for (bug, _, violated, said) in &runs {
        eprintln!("{bug:<22} caught by {violated:?}: {said}");
    }
    let missed: Vec<_> = runs.iter().filter(|(_, breaks, by, _)| !by.contains(breaks)).collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

#[test]
fn every_bug_in_the_sources_has_its_test_and_every_invariant_its_bug() {
    let named: BTreeSet<&str> = BUGS.iter().map(|(bug, _)| *bug).chain(ELSEWHERE).collect();
    let found = seeded_bugs::named_in(&sources::workspace());
    assert_eq!(found.iter().map(String::as_str).collect::<BTreeSet<_>>(), named);
    for invariant in Invariant::ALL {
        assert!(BUGS.iter().any(|(_, breaks)| *breaks == invariant), "{invariant:?} has no bug");
    }
}

/// The features of a manifest, and what each turns on.
fn features(manifest: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let own = text.split_once("[features]").map_or("", |(_, rest)| rest);
    let own = own.split_once("\n[").map_or(own, |(own, _)| own);
    let mut features: BTreeMap<String, String> = BTreeMap::new();
    let mut name = String::new();
    for line in own.lines().filter(|line| !line.starts_with('#')) {
        let turned_on = line.split_once('=').map_or(line, |(feature, turned_on)| {
            feature.trim().clone_into(&mut name);
            turned_on
        });
        features.entry(name.clone()).or_default().push_str(turned_on);
    }
    features
}

/// The build refuses it, too: `platform::bug` does not compile with optimizations.
#[test]
fn nothing_that_a_release_turns_on_brings_a_bug() {
    let workspace = sources::workspace();
    let mut crates = vec![workspace.join("mercat"), workspace.join("crates/platform")];
    let services = std::fs::read_dir(workspace.join("services")).unwrap();
    crates.extend(services.flatten().map(|service| service.path()));
    let mut with = Vec::new();
    for folder in crates {
        let of = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (feature, turns_on) in features(&folder.join("Cargo.toml")) {
            if feature == "seeded-bugs" || turns_on.contains("seeded-bugs") {
                with.push(format!("{of}/{feature}"));
            }
        }
    }
    assert_eq!(with, ["mercat/seeded-bugs", "platform/seeded-bugs"]);
    let image = std::fs::read_to_string(workspace.join("deploy/images/Dockerfile")).unwrap();
    assert!(image.contains("--features full") && !image.contains("seeded"), "{image}");
}
