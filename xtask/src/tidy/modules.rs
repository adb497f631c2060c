//! A source file that no `mod` names is compiled by nobody and tested by nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::{File, Finding, source::Source};
use crate::project::has_extension;

/// Every source file, and which of them cargo gets to.
pub struct Tree<'a> {
    sources: BTreeMap<&'a str, Parsed<'a>>,
    reached: BTreeSet<String>,
    /// Without the modules under `#[cfg(test)]`.
    shipped: BTreeSet<String>,
}

struct Parsed<'a> {
    file: &'a File,
    source: Source,
}

impl<'a> Tree<'a> {
    pub fn new(files: &'a [File]) -> Self {
        let sources: BTreeMap<&str, Parsed<'_>> = files
            .iter()
            .filter(|file| has_extension(&file.path, "rs") && inside(&file.path).is_some())
            .map(|file| (file.path.as_str(), Parsed { file, source: Source::parse(&file.text) }))
            .collect();
        let reached = reach(&sources, |source| &source.code);
        let shipped = reach(&sources, |source| &source.production);
        Self { sources, reached, shipped }
    }

    /// Files below `src/`, `tests/`, `benches/` and `examples/` that no crate root leads to.
    pub fn orphans(&self) -> Vec<Finding> {
        self.sources
            .keys()
            .filter(|path| !self.reached.contains(**path))
            .map(|path| {
                Finding::new(path, 1, "no `mod` leads to this file; declare it or delete it")
            })
            .collect()
    }

    /// Whether the file is compiled for tests only: `#[cfg(test)] mod account_tests;`.
    pub fn only_tests(&self, path: &str) -> bool {
        self.reached.contains(path) && !self.shipped.contains(path)
    }
}

fn reach(sources: &BTreeMap<&str, Parsed<'_>>, code: fn(&Source) -> &String) -> BTreeSet<String> {
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut waiting: Vec<String> =
        sources.keys().filter(|path| is_root(path)).map(|path| (*path).to_owned()).collect();
    while let Some(path) = waiting.pop() {
        let Some(Parsed { file, source }) = sources.get(path.as_str()) else {
            continue;
        };
        if reached.insert(path) {
            waiting.extend(children(file, source, code(source)));
        }
    }
    reached
}

/// The part of the path from `src/`, `tests/` … on.
fn inside(path: &str) -> Option<&str> {
    let parts: Vec<&str> = path.split('/').collect();
    let at =
        parts.iter().position(|part| matches!(*part, "src" | "tests" | "benches" | "examples"))?;
    let start: usize = parts[..at].iter().map(|part| part.len() + 1).sum();
    Some(&path[start..])
}

/// What cargo compiles by itself.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = inside(path).unwrap_or_default().split('/').collect();
    match parts.as_slice() {
        ["src", "lib.rs" | "main.rs"]
        | ["src", "bin", _]
        | ["src", "bin", _, "main.rs"]
        | ["tests" | "benches" | "examples", _, "main.rs"] => true,
        ["tests" | "benches" | "examples", file] => has_extension(file, "rs"),
        _ => false,
    }
}

/// The files that a file names by `mod`, `#[path]` or `include!`. Each may be one of several
/// places; naming one that does not exist is the compiler's business.
fn children(file: &File, source: &Source, code: &str) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let own = if matches!(name, "mod.rs" | "lib.rs" | "main.rs") || is_root(&file.path) {
        folder.to_owned()
    } else {
        format!("{folder}/{}", name.trim_end_matches(".rs"))
    };
    let mut found = Vec::new();
    for (module, inline) in modules(code) {
        let base = inline.iter().fold(own.clone(), |base, part| format!("{base}/{part}"));
        found.push(format!("{base}/{module}.rs"));
        found.push(format!("{base}/{module}/mod.rs"));
    }
    // `#[path = "…"]` and `include!("…")`: any literal that names a Rust file beside this one.
    found.extend(
        source
            .literals
            .iter()
            .filter(|literal| has_extension(&literal.text, "rs"))
            .map(|literal| format!("{folder}/{}", literal.text)),
    );
    found
}

/// Each `mod name;` with the inline modules around it.
fn modules(code: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut around: Vec<(String, usize)> = Vec::new();
    let mut depth = 0_usize;
    let spaced = code.replace('{', " { ").replace('}', " } ").replace(';', " ; ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    for (at, word) in words.iter().enumerate() {
        match *word {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if around.last().is_some_and(|(_, opened)| *opened == depth) {
                    around.pop();
                }
            }
            "mod" => {
                let name = words.get(at + 1).map_or("", |name| name.trim_start_matches("r#"));
                match words.get(at + 2) {
                    Some(&";") => {
                        let inline = around.iter().map(|(name, _)| name.clone()).collect();
                        found.push((name.to_owned(), inline));
                    }
                    Some(&"{") => around.push((name.to_owned(), depth)),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orphans_of(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() })
            .collect();
        Tree::new(&files).orphans().into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn a_file_that_nobody_declares_is_an_orphan() {
        assert_eq!(
            orphans_of(&[
                ("crates/a/src/lib.rs", "mod b; // mod c;"),
                ("crates/a/src/b.rs", ""),
                ("crates/a/src/c.rs", ""),
                ("crates/a/tests/it/main.rs", "mod story;"),
                ("crates/a/tests/it/story.rs", ""),
                ("crates/a/tests/it/lost.rs", ""),
            ]),
            ["crates/a/src/c.rs", "crates/a/tests/it/lost.rs"]
        );
    }

    #[test]
    fn a_file_under_cfg_test_is_known_as_such_with_its_children() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [
            file("crates/a/src/lib.rs", "mod b; #[cfg(test)] mod b_tests;"),
            file("crates/a/src/b.rs", ""),
            file("crates/a/src/b_tests.rs", "mod more;"),
            file("crates/a/src/b_tests/more.rs", ""),
        ];
        let tree = Tree::new(&files);
        assert!(tree.only_tests("crates/a/src/b_tests.rs"));
        assert!(tree.only_tests("crates/a/src/b_tests/more.rs"));
        assert!(!tree.only_tests("crates/a/src/b.rs"));
    }

    #[test]
    fn folders_inline_modules_paths_and_includes_lead_to_files() {
        assert!(
            orphans_of(&[
                (
                    "crates/a/src/lib.rs",
                    "mod b; mod x { mod y; } #[path = \"odd.rs\"] mod z; pub mod r#gen;"
                ),
                ("crates/a/src/b/mod.rs", "mod c;"),
                ("crates/a/src/b/c.rs", "mod d;"),
                ("crates/a/src/b/c/d.rs", ""),
                ("crates/a/src/x/y.rs", ""),
                ("crates/a/src/odd.rs", ""),
                ("crates/a/src/gen/mod.rs", "pub mod v1 { include!(\"api.rs\"); }"),
                ("crates/a/src/gen/api.rs", ""),
                ("crates/a/src/bin/tool.rs", ""),
                ("crates/a/tests/one.rs", ""),
            ])
            .is_empty()
        );
    }
}
