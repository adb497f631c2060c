//! `cargo xtask …`: what the project does to itself.
//!
//! Each command is one file and one function that returns `Outcome`; `main` only chooses. The crate
//! stays small on purpose: it is compiled on every fresh machine before anything else can be checked.

mod ci;
mod codegen;
mod codegen_api;
mod codegen_templates;
mod compat;
mod deploy;
mod descriptors;
mod faults;
mod project;
mod say;
mod services;
mod simulate;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use project::Project;
use services::Stop;

/// What a command answers: nothing, or the sentence that says why it stopped.
pub type Outcome<T = ()> = Result<T, String>;

const HELP: &str = "\
What the project does to itself.

usage: cargo xtask <command>

  codegen [--check]   write crates/contracts/src/gen from proto/; --check only compares
  compat [--accept]   whoever speaks to the last release still can: proto/, the bytes of events,
                      docs/openapi.json; --accept makes what is here the baseline
  lint-deploy         check the files in deploy/: images, compose, alerts, dashboard
  tidy                check the architecture rules, the documents' links, the migrations
  test [--quick]      prepare what tests need, then run all of them;
                      --quick leaves out the suites that want a release build
  services up|down|status
                      the servers that tests need, on free ports of this machine: PostgreSQL,
                      Kafka, RabbitMQ, Redis
  services start|stop|restart <postgres|kafka|rabbitmq|redis> [--immediate]
                      one of them, which keeps its port and its data; --immediate is a crash
  simulate [--seeds N] [--from S] [--seed S]
                      the whole shop in virtual time, with faults drawn from a seed: N seeds, or
                      one of them told in full
  faults [--row F7] [--minutes N] [--short] [--release] [--bug NAME]
                      break a running shop on purpose and look what it lost: real processes,
                      PostgreSQL, Kafka; docs/reliability.md tells of the rows
  ci                  everything that must be green before a change is merged";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            say::failure(&reason);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let project = Project::find()?;
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            say::line(HELP);
            Ok(())
        }
        ["codegen"] => codegen::run(&project, codegen::Mode::Write),
        ["codegen", "--check"] => codegen::run(&project, codegen::Mode::Check),
        ["compat"] => compat::run(&project, compat::Mode::Check),
        ["compat", "--accept"] => compat::run(&project, compat::Mode::Accept),
        ["lint-deploy"] => deploy::run(&project),
        ["tidy"] => tidy::run(&project),
        ["test"] => test::run(&project, test::Depth::Everything),
        ["test", "--quick"] => test::run(&project, test::Depth::Quick),
        ["services", "up"] => services::up(&project),
        ["services", "down"] => services::down(&project),
        ["services", "status"] => services::status(&project),
        ["services", "start", name] => services::start(&project, name),
        ["services", "stop", name] => services::stop(&project, name, Stop::Orderly),
        ["services", "stop", name, "--immediate"] => {
            services::stop(&project, name, Stop::Immediate)
        }
        ["services", "restart", name] => services::restart(&project, name, Stop::Orderly),
        ["services", "restart", name, "--immediate"] => {
            services::restart(&project, name, Stop::Immediate)
        }
        ["simulate", words @ ..] => simulate::run(&project, words),
        ["faults", arguments @ ..] => faults::run(&project, arguments),
        ["ci"] => ci::run(&project),
        _ => Err(format!("`cargo xtask {}` is not a command\n\n{HELP}", words.join(" "))),
    }
}
