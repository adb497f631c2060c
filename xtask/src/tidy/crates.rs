//! Which crate of ours may depend on which, read from the manifests.

use super::{File, Finding};

/// Folder of a crate, and the crates of ours that its `[dependencies]` may name. Services are not
/// listed one by one: `services/` stands for each of them.
const MAY_USE: [(&str, &[&str]); 6] = [
    ("crates/kernel", &[]),
    // It judges what the others wrote: it shares no code with them.
    ("crates/checker", &["kernel"]),
    ("crates/platform", &["kernel"]),
    ("crates/contracts", &["kernel", "platform"]),
    ("services/", &["kernel", "platform", "contracts"]),
    ("xtask", &[]),
];

const FLOOR: [&str; 5] = ["kernel", "platform", "contracts", "testkit", "checker"];

/// The only crates that see services.
const COMPOSERS: [&str; 4] = ["mercat", "crates/testkit", "crates/simulation", "bench"];

/// Programs that do nothing but test: `testkit` is theirs, too.
const TESTERS: [&str; 2] = ["bench", "crates/faults"];

/// What would make the kernel wait, or reach the world.
const NOT_IN_KERNEL: [&str; 10] = [
    "tokio",
    "async-trait",
    "futures-util",
    "hyper",
    "axum",
    "tonic",
    "reqwest",
    "rusqlite",
    "sqlx",
    "tracing",
];

struct Dependency {
    line: usize,
    name: String,
    /// Of `[dev-dependencies]`.
    for_tests: bool,
}

/// The crates a manifest names, as code spells them (`async-trait` → `async_trait`).
pub fn names(manifest: &str) -> Vec<String> {
    dependencies_of(manifest).into_iter().map(|one| one.name.replace('-', "_")).collect()
}

fn dependencies_of(manifest: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut section: Option<bool> = None;
    for (number, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            let (table, name) = match header.rsplit_once("dependencies.") {
                Some((before, name)) => (format!("{before}dependencies"), Some(name)),
                None => (header.to_owned(), None),
            };
            let for_tests = table.ends_with("dev-dependencies");
            let relevant = table.ends_with("dependencies") && !table.starts_with("workspace");
            section = (relevant && name.is_none()).then_some(for_tests);
            if let (true, Some(name)) = (relevant, name) {
                found.push(Dependency { line: number + 1, name: name.to_owned(), for_tests });
            }
        } else if let (Some(for_tests), Some((key, _))) = (section, line.split_once('='))
            && !line.starts_with('#')
        {
            let name = key.trim().split('.').next().unwrap_or_default().to_owned();
            found.push(Dependency { line: number + 1, name, for_tests });
        }
    }
    found
}

/// The services are the folders below `services/` that have a manifest.
pub fn services(files: &[File]) -> Vec<&str> {
    files
        .iter()
        .filter_map(|file| file.path.strip_prefix("services/")?.strip_suffix("/Cargo.toml"))
        .collect()
}

pub fn dependencies(file: &File, services: &[&str]) -> Vec<Finding> {
    let Some(folder) = file.path.strip_suffix("/Cargo.toml") else {
        return Vec::new();
    };
    dependencies_of(&file.text)
        .into_iter()
        .filter_map(|one| {
            fault(folder, &one, services).map(|message| Finding::new(&file.path, one.line, message))
        })
        .collect()
}

fn fault(folder: &str, dependency: &Dependency, services: &[&str]) -> Option<String> {
    let name = dependency.name.as_str();
    // Its tests may turn on a feature of the crate that they test.
    if dependency.for_tests && folder.strip_prefix("services/") == Some(name) {
        return None;
    }
    if services.contains(&name) && !COMPOSERS.contains(&folder) {
        return Some(format!(
            "only {} may depend on the service `{name}`; reach it through `contracts`",
            COMPOSERS.join(", ")
        ));
    }
    if name == "testkit" && !dependency.for_tests && !TESTERS.contains(&folder) {
        return Some("`testkit` is for tests: put it under [dev-dependencies]".to_owned());
    }
    if dependency.for_tests {
        return None;
    }
    if folder == "crates/kernel" && NOT_IN_KERNEL.contains(&name) {
        return Some(format!("the kernel neither waits nor reaches out: it may not use `{name}`"));
    }
    let (_, allowed) = MAY_USE.iter().find(|(place, _)| {
        folder == *place || (place.ends_with('/') && folder.starts_with(place))
    })?;
    (FLOOR.contains(&name) && !allowed.contains(&name)).then(|| {
        let list = if allowed.is_empty() { "none of ours".to_owned() } else { allowed.join(", ") };
        format!("`{folder}` may depend on {list}, not on `{name}`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        dependencies(&file, &["inventory", "ordering", "payment"])
            .into_iter()
            .map(|finding| finding.to_string())
            .collect()
    }

    #[test]
    fn a_service_may_name_itself_for_its_tests_only() {
        let own = |section: &str| {
            let manifest = format!("[{section}]\nordering.path = \".\"");
            findings("services/ordering/Cargo.toml", &manifest)
        };
        assert!(own("dev-dependencies").is_empty());
        assert_eq!(own("dependencies").len(), 1);
    }

    #[test]
    fn a_service_that_depends_on_another_is_caught_even_for_tests() {
        let found = findings(
            "services/ordering/Cargo.toml",
            "[dependencies]\nkernel.workspace = true\ninventory.workspace = true\n[dev-dependencies]\npayment = { path = \"x\" }",
        );
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("services/ordering/Cargo.toml:3: only mercat"));
        assert!(
            findings("mercat/Cargo.toml", "[dependencies]\ninventory.workspace = true").is_empty()
        );
    }

    #[test]
    fn a_new_service_is_known_by_its_folder() {
        let file = |path: &str| File { path: path.to_owned(), text: String::new() };
        let files = [
            file("services/pricing/Cargo.toml"),
            file("services/pricing/src/lib.rs"),
            file("crates/kernel/Cargo.toml"),
        ];
        assert_eq!(services(&files), ["pricing"]);
    }

    #[test]
    fn the_kernel_depends_on_nothing_of_ours_and_never_waits() {
        let text = "[dependencies]\nplatform.workspace = true\ntokio = \"1\"\nserde = \"1\"";
        assert_eq!(findings("crates/kernel/Cargo.toml", text).len(), 2);
    }

    #[test]
    fn the_platform_does_not_know_the_contracts() {
        let text = "[dependencies]\nkernel.workspace = true\ncontracts.workspace = true";
        assert_eq!(findings("crates/platform/Cargo.toml", text).len(), 1);
    }

    #[test]
    fn testkit_is_for_tests() {
        let path = "services/payment/Cargo.toml";
        assert_eq!(findings(path, "[dependencies]\ntestkit.workspace = true").len(), 1);
        assert_eq!(findings(path, "[dependencies.testkit]\nworkspace = true").len(), 1);
        assert!(findings(path, "[dev-dependencies]\ntestkit.workspace = true").is_empty());
    }

    #[test]
    fn every_kind_of_section_is_read_and_the_workspace_table_is_not() {
        let names = names(
            "[workspace.dependencies]\nghost = \"1\"\n[dependencies]\n# no\nasync-trait.workspace = true\n[target.'cfg(unix)'.dependencies]\nnix = \"1\"\n[features]\nfull = []",
        );
        assert_eq!(names, ["async_trait", "nix"]);
    }
}
