//! `mercat staff`.

use std::process::ExitCode;
use std::time::Duration;

use platform::{Context, Env};

use super::choose_data;
use crate::cli::Staff;
use crate::config::Config;
use crate::data::DataFolder;
use crate::shop::{Carrier, Shop};

pub async fn run(mut config: Config, command: Staff) -> Result<ExitCode, String> {
    let Staff::ResetPassword { email, data } = command;
    choose_data(&mut config, &data);
    let env = Env::system();
    let folder = DataFolder::open_existing(&config.data)?;
    let shop = Shop::build(&env, &config, &folder, Carrier::Direct)?;
    let context = Context::background(&env, "mercat", Duration::from_mins(1));
    let made = shop.staff.reset_password(&context, email.clone()).await;
    let made = made.map_err(|error| format!("{email}: {error}"))?;
    super::up::tell_staff(&made);
    Ok(ExitCode::SUCCESS)
}
