//! `mercat migrate`.

use std::process::ExitCode;

use platform::Env;

use super::choose_data;
use crate::cli::Data;
use crate::config::Config;
use crate::data::DataFolder;
use crate::output;
use crate::shop::{Carrier, Shop};

pub async fn run(mut config: Config, data: &Data) -> Result<ExitCode, String> {
    choose_data(&mut config, data);
    let folder = DataFolder::open(&config.data)?;
    let shop = Shop::assemble(&Env::system(), &config, &folder, Carrier::Direct).await?;
    for service in &shop.services {
        output::line(format_args!("{}: up to date", service.name));
    }
    super::up::tell_first_staff(shop.first_staff.as_ref());
    Ok(ExitCode::SUCCESS)
}
