//! `mercat config`.

use std::path::PathBuf;
use std::process::ExitCode;

use platform::Env;

use crate::cli::{Config as Command, Topology};
use crate::config::Config;
use crate::data::DataFolder;
use crate::output;
use crate::shop::{Carrier, Shop};

pub fn run(config: &Config, command: &Command) -> Result<ExitCode, String> {
    match command {
        Command::Check => {
            check(config)?;
            output::line("The configuration is accepted.");
        }
        Command::Print => {
            output::line(platform::config::print(config).map_err(|error| error.to_string())?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Does what a start does before it serves, on empty databases: so nothing can be accepted here and
/// refused there.
fn check(config: &Config) -> Result<(), String> {
    config.check_processes()?;
    platform::telemetry::init(&config.telemetry).map_err(|error| error.to_string())?;
    let env = Env::system();
    let empty = Empty(std::env::temp_dir().join(format!("mercat-check-{}", env.uuid())));
    let folder = DataFolder::open(&empty.0)?;
    let mut config = config.clone();
    // The test provider has a folder of its own, which is not to be touched either.
    config.payment.test_provider.folder = None;
    let shop = Shop::build(&env, &config, &folder, Carrier::Direct)?;
    super::up::gateway(&config, &shop, Topology::Embedded, false).map(|_| ())
}

/// A folder that goes when this does.
struct Empty(PathBuf);

impl Drop for Empty {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
