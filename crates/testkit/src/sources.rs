//! What stands in the sources themselves, so that a test's list cannot fall behind them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One file of a crate.
#[derive(Clone, Debug)]
pub struct Source {
    /// Below the workspace.
    pub path: String,
    pub text: String,
}

/// The sources of `platform` and of the services, without those of their test folders.
pub fn of_the_shop(workspace: &Path) -> Vec<Source> {
    let mut folders = vec![workspace.join("crates/platform/src")];
    let services = std::fs::read_dir(workspace.join("services")).expect("the services are there");
    folders.extend(services.flatten().map(|service| service.path().join("src")));
    folders.sort();
    let mut sources = Vec::new();
    for folder in folders {
        collect(workspace, &folder, &mut sources);
    }
    assert!(sources.len() > 100, "where have the sources gone? {}", workspace.display());
    sources
}

/// The words that stand in calls such as `crash::point("…")`, given up to the quotation mark.
pub fn words_in(sources: &[Source], call: &str) -> BTreeSet<String> {
    let calls = sources.iter().flat_map(|source| source.text.split(call).skip(1));
    calls.filter_map(|rest| rest.split_once('"')).map(|(word, _)| word.to_owned()).collect()
}

/// The variants of the enum of that name, which stands at the left margin of `text`.
pub fn variants_of(text: &str, name: &str) -> BTreeSet<String> {
    let begin = format!("pub enum {name} {{\n");
    let body = text.split_once(&begin).and_then(|(_, rest)| rest.split_once("\n}"));
    let (body, _) = body.unwrap_or_else(|| panic!("there is no enum {name}"));
    let own = body.lines().filter_map(|line| line.strip_prefix("    "));
    let variants = own.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    let word = |line: &str| line.chars().take_while(char::is_ascii_alphanumeric).collect();
    variants.map(word).collect()
}

/// This workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn collect(workspace: &Path, folder: &Path, sources: &mut Vec<Source>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(workspace, &path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("sources are UTF-8");
            let path = path.strip_prefix(workspace).unwrap_or(&path).display().to_string();
            sources.push(Source { path, text });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variants_of_an_enum_are_found_and_their_fields_are_not() {
        let text = "/// One.\npub enum Work {\n    /// Ask.\n    Ask,\n    Tell {\n        \
            Amount: u32,\n    },\n    Wait(Time),\n}\n\npub enum Other {\n    No,\n}\n";
        let found: Vec<_> = variants_of(text, "Work").into_iter().collect();
        assert_eq!(found, ["Ask", "Tell", "Wait"]);
    }
}
