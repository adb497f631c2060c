//! `cargo xtask simulate`: builds the simulation to be fast, and plays seeds with it.

use crate::{Outcome, project::Project, tools};

/// `words` are the simulation's own; see `crates/simulation/src/main.rs`.
pub fn run(project: &Project, words: &[&str]) -> Outcome {
    let mut build = tools::cargo(project);
    build.args(["build", "--quiet", "--locked", "--profile", "simulation", "-p", "simulation"]);
    tools::run(&mut build)?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| project.path("target"), |folder| project.root.join(folder));
    let mut play = std::process::Command::new(target.join("simulation/simulation"));
    tools::run(play.current_dir(&project.root).args(words))
}
