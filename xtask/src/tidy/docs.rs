//! Files that documents name must exist: a map that lies is worse than none.

use std::collections::BTreeSet;

use super::{File, Finding};
use crate::project::has_extension;

/// Dead links and dead backticked paths of every Markdown file. `exists` answers for a path from
/// the root of the project.
pub fn dead_links(files: &[File], exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    // Only what starts with a folder of ours is a path: `application/json` is not.
    let roots: BTreeSet<&str> =
        files.iter().filter_map(|file| file.path.split_once('/')).map(|(root, _)| root).collect();
    files
        .iter()
        .filter(|file| has_extension(&file.path, "md"))
        .flat_map(|file| dead_in(file, &roots, &exists))
        .collect()
}

fn dead_in(file: &File, roots: &BTreeSet<&str>, exists: &impl Fn(&str) -> bool) -> Vec<Finding> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        let links = links(line).into_iter().filter(|link| !exists(&join(folder, link)));
        let named = backticked(line).into_iter().filter(|path| {
            let root = path.split('/').next().unwrap_or_default();
            let ours = roots.contains(root) || root == "..";
            ours && !exists(&join("", path)) && !exists(&join(folder, path))
        });
        for dead in links.chain(named) {
            found.push(Finding::new(&file.path, number + 1, format!("`{dead}` does not exist")));
        }
    }
    found
}

/// Targets of `[text](target)` that point into the project, without their anchors.
fn links(line: &str) -> Vec<&str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split(['#', ' ']).next().unwrap_or_default())
        .filter(|target| {
            !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:")
        })
        .collect()
}

/// What stands in backticks and has the shape of a relative path. A trailing `:12` is a line.
fn backticked(line: &str) -> Vec<&str> {
    line.split('`')
        .skip(1)
        .step_by(2)
        .map(|text| match text.rsplit_once(':') {
            Some((path, number)) if number.parse::<u32>().is_ok() => path,
            _ => text,
        })
        .filter(|text| {
            let plain = |letter: char| letter.is_alphanumeric() || "/._-".contains(letter);
            text.contains('/') && !text.starts_with('/') && text.chars().all(plain)
        })
        .collect()
}

/// `docs/adr` + `../how-to/x.md` → `docs/how-to/x.md`.
fn join(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> =
        if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(text: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [
            file("docs/adr/0001-a.md", text),
            file("docs/how-to/add.md", ""),
            file("crates/a/src/lib.rs", ""),
        ];
        let folders = ["docs", "docs/adr", "docs/how-to", "crates", "crates/a", "crates/a/src"];
        dead_links(&files, |path| {
            files.iter().any(|file| file.path == path) || folders.contains(&path)
        })
        .into_iter()
        .map(|finding| finding.to_string())
        .collect()
    }

    #[test]
    fn a_dead_link_and_a_dead_path_are_caught_with_their_line() {
        assert_eq!(
            dead("see\n[x](../how-to/gone.md) and `crates/a/src/gone.rs:12`"),
            [
                "docs/adr/0001-a.md:2: `../how-to/gone.md` does not exist",
                "docs/adr/0001-a.md:2: `crates/a/src/gone.rs` does not exist"
            ]
        );
    }

    #[test]
    fn living_paths_placeholders_media_types_and_code_blocks_are_fine() {
        assert!(
            dead(
                "[x](../how-to/add.md#how) [y](https://x.example/a) [z](#here) `crates/a/src/lib.rs:1` `crates/a/`\n\
                 `./data` `crates/<name>/src` `application/json` `/v1/carts` `crates/*/src`\n\
                 ```\n`crates/gone.rs`\n```"
            )
            .is_empty()
        );
    }
}
