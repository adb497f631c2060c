//! Which crash points there are: read from the sources, so that a new one cannot be forgotten.

use std::collections::BTreeSet;
use std::path::Path;

const CALL: &str = "crash::point(\"";

/// The names of all crash points below the workspace's `crates/platform` and `services`.
pub fn named_in(workspace: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(&workspace.join("crates/platform/src"), &mut names);
    let services = std::fs::read_dir(workspace.join("services")).expect("the services are there");
    for service in services.flatten() {
        collect(&service.path().join("src"), &mut names);
    }
    assert!(names.len() >= 3, "where have the crash points gone? {names:?}");
    names
}

fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("sources are UTF-8");
            let calls = text.split(CALL).skip(1).filter_map(|rest| rest.split_once('"'));
            names.extend(calls.map(|(name, _)| name.to_owned()));
        }
    }
}
