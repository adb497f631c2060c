//! One file a command.

mod config;
mod events;
mod export;
mod import;
mod migrate;
mod remote;
mod serve;
mod staff;
pub mod up;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::{Cli, Command, Data};
use crate::config::Config;

/// Runs what was asked for. An error is a sentence for the person who typed it.
pub async fn run(cli: Cli) -> Result<ExitCode, String> {
    let read =
        || crate::config::read(cli.config.as_deref(), &cli.set).map_err(|error| error.to_string());
    match cli.command {
        Command::Up(up) => {
            let config = read()?;
            up::run(config, up, &Given { file: cli.config, set: cli.set }).await
        }
        Command::Serve(serve) => serve::run(read()?, serve).await,
        Command::Import(import) => import::run(read()?, import).await,
        Command::Export(export) => export::run(read()?, export).await,
        Command::Migrate(command) => migrate::run(read()?, &command).await,
        Command::Config(command) => config::run(&read()?, &command),
        Command::Staff(command) => staff::run(read()?, command).await,
        Command::Events(command) => events::run(read()?, command).await,
        Command::Verify(command) => verify::run(read()?, &command),
    }
}

/// Where the configuration came from, for processes that are to read the same.
#[cfg_attr(not(feature = "servers"), expect(dead_code, reason = "without processes"))]
pub struct Given {
    pub file: Option<PathBuf>,
    pub set: Vec<(String, String)>,
}

/// A flag goes before the configuration.
fn choose_data(config: &mut Config, data: &Data) {
    if let Some(folder) = &data.data {
        config.data.clone_from(folder);
    }
}
