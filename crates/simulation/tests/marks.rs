//! No mark is forgotten: the list is that of the sources.

use std::collections::BTreeSet;
use std::path::Path;

const CALL: &str = "sometimes::reached(\"";

#[test]
fn the_list_of_marks_is_that_of_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = BTreeSet::new();
    for folder in ["crates/platform/src", "services"] {
        read(&root.join(folder), &mut found);
    }
    let listed: BTreeSet<String> = simulation::MARKS.iter().map(ToString::to_string).collect();
    assert_eq!(listed, found);
    assert_eq!(listed.len(), simulation::MARKS.len(), "a mark is listed twice");
}

fn read(path: &Path, found: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a folder of sources").flatten() {
            read(&entry.path(), found);
        }
    } else if path.extension().is_some_and(|end| end == "rs") {
        let text = std::fs::read_to_string(path).expect("a source");
        let calls = text.split(CALL).skip(1).filter_map(|rest| rest.split('"').next());
        found.extend(calls.filter(|mark| *mark != "a test ran").map(str::to_owned));
    }
}
