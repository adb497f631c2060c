//! Other programs: how they are run, and how those that a fresh machine lacks are brought here.
//!
//! Everything is installed below `target/`, in versions that are written down; nothing outside the
//! checkout changes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Outcome,
    project::{self, Project},
    say,
};

const CARGO_DENY: &str = "0.20.2";

/// Built to be ready soon, not to be fast: it runs for two seconds. Its own profile (fat LTO, one
/// codegen unit) takes more than twice the time on two cores.
const QUICK_BUILD: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
];

/// Cargo, as this process was started by it.
pub fn cargo(project: &Project) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(&project.root);
    // Set for this crate by `cargo run`; a nested build must not see another package's values.
    command.env_remove("CARGO_MANIFEST_DIR");
    command
}

/// What turns on everything that needs servers or exports traces, and the mistakes that tests make on purpose, in a build
/// of the whole workspace. The embedded shop is small because it goes without; tests and lints are for all of it.
pub fn servers(project: &Project) -> Outcome<Vec<&'static str>> {
    let has = has_feature(&project.read("mercat/Cargo.toml")?, "full");
    Ok(if has { vec!["--features", "mercat/full,mercat/seeded-bugs"] } else { Vec::new() })
}

fn has_feature(manifest: &str, name: &str) -> bool {
    let features = manifest.split_once("[features]").map_or("", |(_, rest)| rest);
    let own = features.lines().take_while(|line| !line.starts_with('['));
    own.filter_map(|line| line.split_once('=')).any(|(feature, _)| feature.trim() == name)
}

/// Runs the command with this terminal; anything but success is the error.
pub fn run(command: &mut Command) -> Outcome {
    let shown = shown(command);
    let status = command.status().map_err(|error| format!("`{shown}` cannot start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed ({status})")) }
}

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// The pinned cargo-deny, built once per target folder.
pub fn cargo_deny(project: &Project) -> Outcome<PathBuf> {
    let own = project.path("target/tools/bin/cargo-deny");
    for candidate in [own.clone(), PathBuf::from("cargo-deny")] {
        if version(&candidate).is_some_and(|text| text.ends_with(CARGO_DENY)) {
            return Ok(candidate);
        }
    }
    say::phase(&format!("install cargo-deny {CARGO_DENY} (some three minutes, once)"), || {
        let mut install = cargo(project);
        install
            .args(["install", "--quiet", "--locked", "cargo-deny", "--version", CARGO_DENY])
            .arg("--root")
            .arg(project.path("target/tools"))
            .envs(QUICK_BUILD);
        run(&mut install)
    })?;
    Ok(own)
}

fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A Python environment in `target/venv` that holds exactly `xtask/requirements.txt`; answers the
/// folder of its programs. A finished one is recognised by its copy of the list.
pub fn python(project: &Project) -> Outcome<PathBuf> {
    let wanted = project.read("xtask/requirements.txt")?;
    let home = project.path("target/venv");
    let programs = home.join("bin");
    let finished = home.join("requirements.txt");
    if fs::read_to_string(&finished).is_ok_and(|present| present == wanted) {
        return Ok(programs);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home)).map_err(|error| {
        format!("{error}\nthe tests need Python 3.10 or newer with its `venv` module")
    })?;
    run(Command::new(programs.join("python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"])
        .arg(project.path("xtask/requirements.txt")))?;
    project::write(&finished, wanted.as_bytes())?;
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_found_among_the_features_only() {
        let manifest =
            "[features]\nfull = [\"otlp\"]\nservers = []\n\n[dependencies]\nkernel = 1\n";
        assert!(has_feature(manifest, "servers"));
        assert!(!has_feature(manifest, "kernel"));
        assert!(!has_feature("[dependencies]\nservers = 1\n", "servers"));
    }
}
