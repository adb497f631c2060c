//! `mercat migrate`.

#[cfg(feature = "servers")]
mod servers;

use std::process::ExitCode;

use platform::Env;

use super::choose_data;
use crate::cli::Migrate;
use crate::config::Config;
use crate::data::DataFolder;
use crate::output;
use crate::shop::{Carrier, Shop};

pub async fn run(mut config: Config, command: &Migrate) -> Result<ExitCode, String> {
    if let Some(from) = &command.from {
        #[cfg(feature = "servers")]
        return servers::run(config, from, command).await;
        #[cfg(not(feature = "servers"))]
        return Err(format!("{}: {}", from.display(), crate::processes::NOT_IN_THIS_BUILD));
    }
    choose_data(&mut config, &command.data);
    let folder = DataFolder::open_shop(&config.data)?;
    let shop = Shop::assemble(&Env::system(), &config, &folder, Carrier::Direct).await?;
    for service in &shop.services {
        output::line(format_args!("{}: up to date", service.name));
    }
    super::up::tell_first_staff(shop.first_staff.as_ref());
    Ok(ExitCode::SUCCESS)
}
