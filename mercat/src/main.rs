//! Mercat: a whole shop backend in one binary. The composition root and the command line.
//!
//! [`shop`] wires the services: the only place that knows all of them and where each runs.
//! [`commands`] is what a person types; [`config`] what they may configure.

mod cli;
mod commands;
mod config;
mod data;
mod demo;
mod moved;
mod output;
mod processes;
mod shop;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A reader that went away is no failure.
            let _ = error.print();
            let is_misuse = error.use_stderr();
            return if is_misuse { ExitCode::from(cli::MISUSED) } else { ExitCode::SUCCESS };
        }
    };
    // One TLS provider for everything that speaks TLS in this process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::failure(&format!("no runtime: {error}")),
    };
    let outcome = runtime.block_on(commands::run(cli));
    // Whatever still runs is told nothing more: a kill at this point loses nothing either.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match outcome {
        Ok(code) => code,
        Err(error) => output::failure(&error),
    }
}
