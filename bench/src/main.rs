//! Mercat's benchmarks. Each starts the release binary as a child process in a folder of its own,
//! speaks to it only through its public API, and writes down under which conditions a figure holds.
//! One, [`outbox`], runs the platform itself.
//!
//! The client shares the machine with what it measures, so it is one thread, keeps its connections
//! open, formats by hand and parses only what it needs; what it costs is in the report.

mod cli;
mod client;
mod clock;
mod commands;
mod goods;
mod load;
mod measure;
mod outbox;
mod report;
mod rng;
mod servers;
mod shop;
mod staff;
mod wire;

use std::process::ExitCode;

use clap::Parser;

/// What is wrong, as a sentence for the person who typed the command.
type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => tokio::task::LocalSet::new().block_on(&runtime, commands::run(cli)),
        Err(error) => Err(format!("no runtime: {error}")),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            report::note(format_args!("bench: {error}"));
            ExitCode::FAILURE
        }
    }
}
