//! `mercat config`.

use std::process::ExitCode;

use crate::cli::Config as Command;
use crate::config::Config;
use crate::output;

pub fn run(config: &Config, command: &Command) -> Result<ExitCode, String> {
    match command {
        Command::Check => output::line("The configuration is accepted."),
        Command::Print => {
            output::line(platform::config::print(config).map_err(|error| error.to_string())?);
        }
    }
    Ok(ExitCode::SUCCESS)
}
