//! `cargo xtask test`: prepares what the tests need, runs every one of them, and counts.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{
    Outcome,
    project::{Project, has_extension},
    say, services, tools,
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    Everything,
    /// Without the suites that want a release build.
    Quick,
}

/// A suite that only means something at full speed: many crashes under load, large imports.
struct ReleaseSuite {
    name: &'static str,
    package: &'static str,
    /// Name of the test target (`--test`).
    target: &'static str,
}

/// Add a line to add a suite; its target must carry `required-features = ["release-suites"]` or be
/// cheap enough to run in the ordinary pass too.
const RELEASE_SUITES: &[ReleaseSuite] = &[];

/// Tests find the programs of the Python environment in the folder that this variable names.
const PYTHON_PROGRAMS: &str = "MERCAT_TEST_PYTHON_BIN";

/// Where the word `schemathesis` in a Rust file means that a test runs it.
const TEST_FOLDERS: [&str; 3] = ["crates/testkit", "mercat", "services"];

#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    ignored: u64,
}

pub fn run(project: &Project, depth: Depth) -> Outcome {
    let held = match say::phase("start services", || services::hold(project)) {
        Ok(held) if held.missing.is_empty() => Some(held),
        Ok(held) if std::env::var_os("CI").is_some() => {
            services::release(project, &held)?;
            return Err(held.missing.join("\n"));
        }
        Ok(held) => {
            let missing = held.missing.join("\n");
            say::warning(&format!("{missing}\ntests that need it will be SKIPPED"));
            Some(held)
        }
        Err(error) if std::env::var_os("CI").is_some() => return Err(error),
        Err(error) => {
            say::warning(&format!("{error}\ntests that need a server will be SKIPPED"));
            None
        }
    };
    let outcome = with_services(project, depth, held.as_ref());
    let released = held.map_or(Ok(()), |held| services::release(project, &held));
    outcome.and(released)
}

fn with_services(project: &Project, depth: Depth, held: Option<&services::Held>) -> Outcome {
    let servers = held.map(|held| held.environment.as_slice()).unwrap_or_default();
    let python = if needs_python(project)? {
        Some(say::phase("prepare Python packages", || tools::python(project))?)
    } else {
        None
    };
    let mut count = Count::default();
    let mut broken = Vec::new();
    let servers_feature = tools::servers(project)?;
    for (name, arguments) in passes(depth) {
        let mut command = tools::cargo(project);
        command.args(["test", "--locked", "--no-fail-fast"]).args(&arguments);
        if arguments.contains(&"--workspace") {
            command.args(&servers_feature);
        }
        environment(&mut command, python.as_ref());
        command.envs(servers.iter().map(|(name, value)| (name, value)));
        if let Err(error) = say::phase(&name, || stream(&mut command, &mut count)) {
            broken.push(error);
        }
    }
    if count.ignored > 0 {
        broken.push(format!("{} tests are ignored; mend or delete them", count.ignored));
    }
    if count.passed == 0 {
        broken.push("no test ran".to_owned());
    }
    say::line(&format!("\n{} passed, {} failed", count.passed, count.failed));
    if broken.is_empty() { Ok(()) } else { Err(broken.join("\n")) }
}

fn passes(depth: Depth) -> Vec<(String, Vec<&'static str>)> {
    let mut passes = vec![("tests".to_owned(), vec!["--workspace", "--lib", "--bins", "--tests"])];
    if depth == Depth::Everything {
        passes.extend(RELEASE_SUITES.iter().map(|suite| {
            let arguments = vec!["--release", "--package", suite.package, "--test", suite.target];
            (format!("release suite: {}", suite.name), arguments)
        }));
    }
    passes.push(("documentation tests".to_owned(), vec!["--workspace", "--doc"]));
    passes
}

fn environment(command: &mut Command, python: Option<&PathBuf>) {
    command.env("RUST_BACKTRACE", "1");
    if let Some(programs) = python {
        command.env(PYTHON_PROGRAMS, programs);
    }
    if std::env::var_os("CI").is_some() {
        // A snapshot that differs is a failure there, never a new file; and nothing is built twice,
        // so the bookkeeping of incremental builds would only cost.
        command.env("INSTA_UPDATE", "no").env("CARGO_INCREMENTAL", "0");
    }
}

fn needs_python(project: &Project) -> Outcome<bool> {
    for folder in TEST_FOLDERS {
        for path in project.files(folder)?.iter().filter(|path| has_extension(path, "rs")) {
            if project.read(path)?.contains("schemathesis") {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Runs cargo, shows each line as it comes, and adds what the test runners report.
fn stream(command: &mut Command, count: &mut Count) -> Outcome {
    let shown = tools::shown(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{shown}` cannot start: {error}"))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let bytes = line.map_err(|error| format!("`{shown}`: {error}"))?;
            let text = String::from_utf8_lossy(&bytes);
            say::line(&text);
            count.add(&text);
        }
    }
    let status = child.wait().map_err(|error| format!("`{shown}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed ({status})")) }
}

impl Count {
    /// `test result: ok. 12 passed; 0 failed; 0 ignored; …`
    fn add(&mut self, line: &str) {
        let Some((_, result)) = line.split_once("test result: ") else {
            return;
        };
        let numbers = result.split_once(". ").map_or("", |(_, numbers)| numbers);
        for part in numbers.split(';') {
            let Some((number, what)) = part.trim().split_once(' ') else {
                continue;
            };
            let number: u64 = number.parse().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_runners_add_up_and_other_lines_do_not_count() {
        let mut count = Count::default();
        for line in [
            "running 3 tests",
            "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "the word passed; 7 passed; alone",
            "test result: FAILED. 10 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        ] {
            count.add(line);
        }
        assert_eq!((count.passed, count.failed, count.ignored), (12, 3, 1));
    }

    #[test]
    fn a_quick_run_leaves_out_the_release_suites_only() {
        let names = |depth| passes(depth).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let quick = names(Depth::Quick);
        assert_eq!(quick, ["tests", "documentation tests"]);
        assert_eq!(names(Depth::Everything).len(), quick.len() + RELEASE_SUITES.len());
    }
}
