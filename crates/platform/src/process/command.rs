//! The command line of a service's own binary.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ProcessConfig, Standalone};
use crate::config::load_service;
use crate::env::Env;
use crate::host::Addresses;

/// Runs one service of Mercat as a process of its own, until SIGTERM or Ctrl-C.
///
/// Reads `mercat.toml` (or `--config FILE`), then variables such as `MERCAT_DATABASE__URL`, then
/// `--set section.key=value`. It brings its database up to date when it starts.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    /// Read the configuration from FILE instead of ./mercat.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set one key of the configuration; may be given more than once.
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// Bring the database up to date, and end.
    #[arg(long)]
    migrate: bool,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("wants SECTION.KEY=VALUE".to_owned()),
    }
}

/// The whole of a service's `main`.
pub fn main<S: Standalone>() -> ExitCode {
    alone(S::NAME, async |migrate, config: ProcessConfig, section: S::Config| {
        if migrate {
            return super::migrate(&Env::system(), &config, &S::schema(&section)).await;
        }
        super::run::<S>(config, section, |addresses| tell_ready(S::NAME, addresses)).await
    })
}

/// A `main` around `run`, which is told whether only the database is to be brought up to date.
pub fn alone<C: Serialize + DeserializeOwned + Default>(
    name: &'static str,
    run: impl AsyncFnOnce(bool, ProcessConfig, C) -> Result<(), String>,
) -> ExitCode {
    let matches = Arguments::command().name(name).get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    // One TLS provider for everything that speaks TLS in this process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let outcome = configured(name, &arguments).and_then(|(config, section)| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
        let outcome = runtime.block_on(run(arguments.migrate, config, section));
        runtime.shutdown_timeout(Duration::from_secs(2));
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One line in the log, for whoever waits.
pub fn tell_ready(name: &'static str, addresses: Addresses) {
    let (public, internal) = (addresses.public, addresses.internal);
    tracing::info!(%public, %internal, "{name} is ready");
}

fn configured<C: Serialize + DeserializeOwned + Default>(
    name: &'static str,
    arguments: &Arguments,
) -> Result<(ProcessConfig, C), String> {
    let usual = Path::new("mercat.toml");
    let file = arguments.config.as_deref().or_else(|| usual.exists().then_some(usual));
    // What is not UTF-8 can be none of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let variables = variables.filter(|(name, _)| name != "MERCAT_CRASH_AT");
    let loaded = load_service::<ProcessConfig, C>(name, file, variables, &arguments.set);
    loaded.map_err(|error| error.to_string())
}
