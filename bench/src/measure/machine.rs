//! What the figures depend on besides the code.

use std::path::Path;
use std::process::Command;

/// The conditions of a run, by name.
pub fn conditions(mercat: &Path, folder: &Path) -> Vec<(String, String)> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = after(&cpu, "model name").unwrap_or("unknown").to_owned();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = after(&read("/proc/meminfo"), "MemTotal").unwrap_or("unknown").to_owned();
    let size = std::fs::metadata(mercat).map_or(0, |metadata| metadata.len());
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let load = read("/proc/loadavg");
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    [
        ("CPU", format!("{model}, {cores} cores (shared by shop and client)")),
        ("memory", memory),
        ("kernel", read("/proc/sys/kernel/osrelease").trim().to_owned()),
        ("file system", file_system(folder)),
        ("load before", load.join(" ")),
        ("date", crate::clock::date()),
        ("commit", commit()),
        ("binary", format!("{:.1} MB, {}", size as f64 / 1e6, version(mercat))),
        ("command", format!("bench {}", arguments.join(" ")).trim_end().to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

fn output(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn commit() -> String {
    let git = |arguments: &[&str]| output(Path::new("git"), arguments);
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else {
        return "unknown".to_owned();
    };
    match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if !changes.is_empty() => format!("{commit} with uncommitted changes"),
        _ => commit,
    }
}

fn version(mercat: &Path) -> String {
    output(mercat, &["--version"]).unwrap_or_else(|| "unknown version".to_owned())
}

/// The type of the file system that holds `folder`: what a commit costs depends on it.
fn file_system(folder: &Path) -> String {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mut best = (0, "unknown");
    for line in mounts.lines() {
        let mut fields = line.split(' ').skip(1);
        if let (Some(at), Some(kind)) = (fields.next(), fields.next())
            && folder.starts_with(at)
            && at.len() >= best.0
        {
            best = (at.len(), kind);
        }
    }
    best.1.to_owned()
}
