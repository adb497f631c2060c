//! Seeds that once found something, and what it was. A seed tells a story only as long as the world
//! it is told in stays the same, so each fault that was mended has a test of its own beside the code,
//! too; these are played because they are cheap.

const FOUND: &[(u64, &str)] = &[
    (22, "one process: events of a commit whose answer got lost stayed in the outbox"),
    (123, "the same, and an order that was sold kept its reservation"),
    (130, "the same, and the money of a cancelled order was held on to"),
    (
        7876,
        "one process: an outbox that could not be read once, and what was told next hid it for ever",
    ),
    (8854, "the same, of events of a commit whose answer got lost"),
];

#[test]
fn seeds_that_once_failed_pass() {
    for (seed, story) in FOUND {
        let verdict = simulation::run(*seed, false);
        assert_eq!(verdict.faults_found, Vec::<String>::new(), "seed {seed}: {story}");
    }
}

#[test]
fn a_seed_played_twice_goes_the_same_way() {
    for seed in [3, 4] {
        let (one, other) = (simulation::run(seed, false), simulation::run(seed, true));
        assert_eq!((one.hash, one.events), (other.hash, other.events), "seed {seed}");
    }
}
