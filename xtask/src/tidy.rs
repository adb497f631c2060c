//! `cargo xtask tidy`: the rules of the house that neither the compiler nor clippy can hold.
//!
//! A rule is a function from text to findings, so each is tested on a few lines of fixture. Only
//! this file touches the disk. A finding names the file, the line, and what to do instead.

mod choices;
mod crates;
mod docs;
mod files;
mod layers;
mod modules;
mod paths;
mod source;
mod sql;
mod words;

use std::{fmt, process::Command};

use crate::{
    Outcome,
    project::{Project, has_extension},
    say,
};

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub message: String,
}

impl Finding {
    pub fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// A file of the project: its path from the root, and its text.
pub struct File {
    pub path: String,
    pub text: String,
}

pub fn run(project: &Project) -> Outcome {
    let files = committed_files(project)?;
    let mut findings = Vec::new();
    let mut long = Vec::new();
    let modules = modules::Tree::new(&files);
    for file in &files {
        check(file, &files, &modules, &mut findings);
        long.extend(files::long(file));
    }
    findings.extend(modules.orphans());
    findings.extend(sql::migrations(&files));
    findings.extend(docs::dead_links(&files, |path| project.path(path).exists()));
    findings.sort();
    findings.dedup();
    if !long.is_empty() {
        long.sort_by_key(|(_, lines)| std::cmp::Reverse(*lines));
        let list: Vec<String> =
            long.iter().map(|(path, lines)| format!("  {lines:>4} {path}")).collect();
        say::line(&format!(
            "tidy: {} files have more than {} lines (no error up to {})\n{}",
            long.len(),
            files::LONG,
            files::TOO_LONG,
            list.join("\n")
        ));
    }
    if findings.is_empty() {
        say::line(&format!("tidy: {} files, nothing to mend", files.len()));
        return Ok(());
    }
    let list: Vec<String> = findings.iter().map(Finding::to_string).collect();
    Err(format!("tidy: {} to mend\n{}", findings.len(), list.join("\n")))
}

/// The rules that look at one file at a time.
fn check(file: &File, files: &[File], modules: &modules::Tree<'_>, findings: &mut Vec<Finding>) {
    findings.extend(files::machine_paths(file));
    findings.extend(files::too_long(file));
    if file.path.ends_with("Cargo.toml") {
        findings.extend(crates::dependencies(file, &crates::services(files)));
        findings.extend(words::broker_libraries(&file.path, &file.text));
    }
    if has_extension(&file.path, "sql") {
        findings.extend(sql::file(file));
    }
    if has_extension(&file.path, "rs") && !files::generated(&file.path) {
        let mut source = source::Source::parse(&file.text);
        if modules.only_tests(&file.path) {
            source.is_test();
        }
        findings.extend(choices::unordered(&file.path, &source));
        findings.extend(words::shop_words(&file.path, &source));
        findings.extend(words::topologies(&file.path, &source));
        findings.extend(words::brokers(&file.path, &source));
        findings.extend(words::database_libraries(&file.path, &source));
        findings.extend(sql::literals(&file.path, &source));
        if let Some(manifest) = layers::manifest_of(&file.path) {
            let manifest = files.iter().find(|file| file.path == manifest);
            let known = manifest.map(|file| crates::names(&file.text)).unwrap_or_default();
            findings.extend(layers::directions(&file.path, &source, &known));
        }
    }
}

/// What git knows or would add: a file that is ignored is nobody's concern.
fn committed_files(project: &Project) -> Outcome<Vec<File>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(&project.root)
        .output();
    let mut paths: Vec<String> = match listed {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect(),
        // An unpacked archive has no git; then everything that lies here is checked.
        _ => project.files("")?,
    };
    paths.sort();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        let full = project.path(&path);
        // Deleted in the tree but still in the index, a link to a folder, or not text at all.
        if let Ok(bytes) = std::fs::read(&full)
            && let Ok(text) = String::from_utf8(bytes)
        {
            files.push(File { path, text });
        }
    }
    Ok(files)
}
