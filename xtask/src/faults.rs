//! `cargo xtask faults`: builds the shop and what breaks it, brings the servers, and breaks it.
//!
//! What is broken, and what must hold then, is in `crates/faults`: this crate stays small.

use std::process::Command;

use crate::{Outcome, project::Project, say, services, tools};

/// What rows need of the machine, and the Debian package that has it. A row whose tool is missing
/// and cannot be had says so and is skipped.
const TOOLS: [(&str, &str); 2] = [("strace", "strace"), ("faketime", "faketime")];
const RELEASE: &str = "--release";

/// `arguments` are those of the program, such as `--row F7`, and `--release`, which is ours.
pub fn run(project: &Project, arguments: &[&str]) -> Outcome {
    build(project, arguments.contains(&RELEASE))?;
    run_built(project, arguments)
}

fn build(project: &Project, is_release: bool) -> Outcome {
    let mut build = tools::cargo(project);
    build.args(["build", "--locked", "-p", "faults", "-p", "mercat", "--bins"]);
    if is_release {
        // Without the bugs that tests can turn on.
        build.args([RELEASE, "--features", "mercat/full"]);
    } else {
        build.args(tools::servers(project)?);
    }
    say::phase("build the shop and its faults", || tools::run(&mut build))
}

/// With the programs that a build of all tests has left: the whole workspace is built with features
/// of its own, and nothing twice.
pub fn run_built(project: &Project, arguments: &[&str]) -> Outcome {
    let is_release = arguments.contains(&RELEASE);
    for (program, package) in TOOLS {
        if !services::packages::has_program(program)
            && let Err(error) = services::packages::install(package, &[package])
        {
            say::warning(&error);
        }
    }
    let held = say::phase("start services", || services::hold(project))?;
    if !held.missing.is_empty() {
        let missing = held.missing.join("\n");
        if std::env::var_os("CI").is_some() {
            services::release(project, &held)?;
            return Err(missing);
        }
        say::warning(&format!("{missing}\nrows that need it will be SKIPPED"));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| project.path("target"), |folder| project.root.join(folder));
    let folder = target.join(if is_release { "release" } else { "debug" });
    let mut program = Command::new(folder.join("faults"));
    program.current_dir(&project.root);
    program.arg("--mercat").arg(folder.join("mercat")).arg("--project").arg(&project.root);
    program.args(arguments.iter().filter(|argument| **argument != RELEASE));
    program.envs(held.environment.iter().map(|(name, value)| (name, value)));
    let outcome = say::phase("faults", || tools::run(&mut program));
    outcome.and(services::release(project, &held))
}
