//! Which crash points there are: read from the sources, so that a new one cannot be forgotten.

use std::collections::BTreeSet;
use std::path::Path;

use crate::shop::Topology;
use crate::sources;

/// What a shop does that passes a point, and so which story is to kill it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A checkout that is paid.
    Paid,
    /// A checkout that goes back though nothing was held.
    Declined,
    /// A checkout that goes back while money is held.
    Voided,
    /// A buyer who wants the money back.
    Cancelled,
    /// Stock figures in a file of products.
    Imported,
}

/// The names of all crash points below the workspace's `crates/platform` and `services`.
pub fn named_in(workspace: &Path) -> BTreeSet<String> {
    let names = sources::words_in(&sources::of_the_shop(workspace), "crash::point(\"");
    assert!(names.len() >= 20, "where have the crash points gone? {names:?}");
    names
}

/// The points that a shop of this topology passes on such a way.
pub fn passed(topology: Topology, way: Way) -> Vec<String> {
    let all = named_in(&sources::workspace()).into_iter();
    all.filter(|point| way_of(point) == way && is_passed(point, topology)).collect()
}

/// Points of the platform at which other processes than [`passed`] says can die during a checkout
/// that is paid, as `point@service`.
pub fn elsewhere(topology: Topology) -> Vec<String> {
    if !topology.has_processes() {
        return Vec::new();
    }
    let all = named_in(&sources::workspace()).into_iter();
    let places = all.flat_map(|point| {
        let area = point.split('.').next().unwrap_or_default();
        let services: &[&str] = match area {
            "executor" | "lease" => &["inventory", "payment"],
            "relay" => &["payment"],
            "intake" => &["ordering"],
            _ => &[],
        };
        services.iter().map(|service| format!("{point}@{service}")).collect::<Vec<_>>()
    });
    places.collect()
}

/// The first of the ways that pass it.
fn way_of(point: &str) -> Way {
    let words: Vec<&str> = point.split('.').collect();
    match words[..2] {
        ["ordering", "place" | "reserve" | "authorize" | "confirm"]
        | ["payment", "intent" | "provider" | "outcome"]
        | ["executor" | "relay" | "intake" | "lease" | "rpc", _] => Way::Paid,
        ["ordering", "unwind" | "release" | "reject"] => Way::Declined,
        ["ordering", "void"] | ["payment", "cancel"] => Way::Voided,
        ["ordering", "cancel"] => Way::Cancelled,
        ["catalog", "counts"] => Way::Imported,
        _ => panic!("no story kills a shop at {point}: say here which one is to"),
    }
}

/// Some things only happen between processes.
fn is_passed(point: &str, topology: Topology) -> bool {
    let between = ["relay.publish.", "intake.", "lease.", "rpc."];
    topology.has_processes() || !between.iter().any(|area| point.starts_with(area))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::Source;

    /// How many lines a point may be away from what it stands around.
    const NEAR: usize = 4;
    /// In the platform: what is committed, published, acknowledged, leased or sent to another.
    const OUTGOING: [&str; 5] =
        [".transact(reads,", "publisher.publish(", "sharing.lease(", "inbound.done(", ", work)"];
    /// Methods of ports that only ask, or that stay within the process.
    const ASKS: [&str; 14] = [
        "quote",
        "state",
        "levels",
        "look_up",
        "products",
        "search",
        "categories_below",
        "count_categories",
        "offers",
        "by_handles",
        "hash",
        "verify",
        "name",
        "methods",
    ];

    fn sources() -> Vec<Source> {
        sources::of_the_shop(&sources::workspace())
    }

    #[test]
    fn every_crash_point_is_passed_on_some_way_between_processes() {
        let ways = [Way::Paid, Way::Declined, Way::Voided, Way::Cancelled, Way::Imported];
        let found: BTreeSet<String> =
            ways.into_iter().flat_map(|way| passed(Topology::Kafka, way)).collect();
        assert_eq!(found, named_in(&sources::workspace()));
    }

    #[test]
    fn whatever_the_platform_sends_or_commits_stands_between_two_crash_points() {
        let sources = sources();
        let of = ["platform/src/executor/", "platform/src/bus/", "platform/src/rpc/remote"];
        let looked_at: Vec<_> = sources
            .iter()
            .filter(|source| of.iter().any(|folder| source.path.contains(folder)))
            .collect();
        for call in OUTGOING {
            let mut found = 0;
            for source in &looked_at {
                let lines: Vec<&str> = source.text.lines().collect();
                for at in (0..lines.len()).filter(|at| lines[*at].contains(call)) {
                    found += 1;
                    let near = |from: usize, to: usize, end: &str| {
                        let mut lines = lines[from..to.min(lines.len())].iter();
                        lines.any(|line| line.contains("crash::point") && line.contains(end))
                    };
                    let before = near(at.saturating_sub(NEAR), at, ".before\"");
                    let after = near(at + 1, at + 1 + NEAR, ".after\"");
                    assert!(before && after, "{}:{}: {}", source.path, at + 1, lines[at].trim());
                }
            }
            assert!(found > 0, "nothing calls `{call}` any more: what does, instead?");
        }
    }

    /// The methods of a service's ports, which are what it asks of others.
    fn port_methods(text: &str) -> Vec<&str> {
        let methods = text.split("    async fn ").skip(1);
        methods.filter_map(|rest| rest.split_once('(')).map(|(name, _)| name).collect()
    }

    #[test]
    fn whatever_a_service_asks_another_to_do_stands_between_two_crash_points() {
        let sources = sources();
        let mut looked_at = 0;
        for ports in sources.iter().filter(|source| source.path.ends_with("/src/ports.rs")) {
            let service = ports.path.trim_end_matches("ports.rs");
            let methods = port_methods(&ports.text).into_iter();
            for method in methods.filter(|method| !ASKS.contains(method)) {
                let call = format!(".{method}(");
                let within = format!("{service}application/");
                let callers: Vec<_> = sources
                    .iter()
                    .filter(|source| source.path.starts_with(&within))
                    .filter(|source| asks_a_port(source, &call))
                    .collect();
                assert!(!callers.is_empty(), "nobody calls {method} of {}", ports.path);
                for caller in callers {
                    looked_at += 1;
                    let has = |end: &str| caller.text.contains(&format!(".{end}\")"));
                    let has_both = has("before") && has("after");
                    assert!(has_both, "{} calls {method} without crash points", caller.path);
                }
            }
        }
        assert!(looked_at >= 9, "only {looked_at} calls were found");
    }

    /// A field or variable that holds a port, and not a row of our own.
    fn asks_a_port(source: &Source, call: &str) -> bool {
        let holders = ["stock", "payments", "provider", "prices", "orders"];
        holders.iter().any(|holder| source.text.contains(&format!("{holder}{call}")))
    }
}
