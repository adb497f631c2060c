//! `cargo xtask ci`: everything that must be green before a change is merged, cheapest first.
//!
//! All checks run even when one fails: whoever reads the log mends everything in one round.

use std::process::{Command, Stdio};

use crate::{
    Outcome, codegen, compat, deploy, faults,
    project::Project,
    say,
    test::{self, Depth},
    tidy, tools,
};

type Check = fn(&Project) -> Outcome;

const CHECKS: [(&str, Check); 7] = [
    ("formatting", formatting),
    ("generated code is current", generated),
    ("compatibility with the last release", compatible),
    ("architecture", tidy::run),
    ("deployment files", deploy::run),
    ("lints", lints),
    ("dependencies", dependencies),
];

pub fn run(project: &Project) -> Outcome {
    let mut broken = Vec::new();
    for (name, check) in CHECKS {
        if let Err(error) = say::phase(name, || check(project)) {
            say::failure(&error);
            broken.push(name);
        }
    }
    // Last, so that the count of tests closes the log.
    let tests = test::run(project, Depth::Everything);
    if let Err(error) = tests {
        say::failure(&error);
        broken.push("tests");
    }
    // After the tests: it stops servers that they use, and runs what they built.
    if let Err(error) = faults::run_built(project, &["--short"]) {
        say::failure(&error);
        broken.push("faults");
    }
    if broken.is_empty() { Ok(()) } else { Err(format!("not green: {}", broken.join(", "))) }
}

fn formatting(project: &Project) -> Outcome {
    tools::run(tools::cargo(project).args(["fmt", "--all", "--check"]))
}

fn generated(project: &Project) -> Outcome {
    codegen::run(project, codegen::Mode::Check)
}

fn compatible(project: &Project) -> Outcome {
    compat::run(project, compat::Mode::Check)
}

fn lints(project: &Project) -> Outcome {
    let mut clippy = tools::cargo(project);
    clippy.args(["clippy", "--workspace", "--all-targets", "--locked"]);
    clippy.args(tools::servers(project)?).args(["--", "-D", "warnings"]);
    tools::run(&mut clippy)
}

/// Licences, bans and sources always; advisories when their database can be had.
fn dependencies(project: &Project) -> Outcome {
    let deny = tools::cargo_deny(project)?;
    let command = || {
        let mut command = Command::new(&deny);
        command.current_dir(&project.root).env("GIT_TERMINAL_PROMPT", "0");
        command
    };
    // Its complaint would fill a screen, and the warning below says what matters.
    let fetched =
        command().args(["fetch", "db"]).stdin(Stdio::null()).stderr(Stdio::null()).status();
    let advisories = fetched.is_ok_and(|status| status.success());
    let mut check = command();
    check.args(["--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    if advisories {
        check.arg("advisories");
    }
    tools::run(&mut check)?;
    if !advisories {
        say::warning(
            "the advisory database cannot be reached from here: known vulnerabilities were NOT \
             checked. Run `cargo xtask ci` once where GitHub is reachable before a release.",
        );
    }
    Ok(())
}
