//! `mercat staff`.

use std::process::ExitCode;
use std::time::Duration;

use kernel::Email;
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
    #[cfg(feature = "servers")]
    if let Some(url) = crate::processes::known(&config, identity::NAME).await? {
        let built = on_server(&env, config, url).await?;
        return reset(&env, &built.setup, &email).await;
    }
    let folder = DataFolder::open_existing(&config.data)?;
    let shop = Shop::build(&env, &config, &folder, Carrier::Direct)?;
    reset(&env, &shop.staff, &email).await
}

async fn reset(env: &Env, setup: &identity::Setup, email: &Email) -> Result<ExitCode, String> {
    let context = Context::background(env, "mercat", Duration::from_mins(1));
    let made = setup.reset_password(&context, email.clone()).await;
    let made = made.map_err(|error| format!("{email}: {error}"))?;
    super::up::tell_staff(&made);
    Ok(ExitCode::SUCCESS)
}

/// Identity over its database on a server. Others may work there: it is one replica more, for a
/// moment, and what it commits is published by those.
#[cfg(feature = "servers")]
async fn on_server(env: &Env, mut config: Config, url: String) -> Result<identity::Built, String> {
    use std::sync::Arc;

    use platform::auth::Authenticator;
    use platform::executor::Executor;
    use platform::service::Base;

    config.database.url = url.into();
    let engine =
        platform::process::open_engine(env, &config.process(), &identity::schema()).await?;
    let section = config.identity;
    let authenticator =
        Authenticator::new(env.clone(), section.issuer.clone(), section.audience.clone());
    let base = Base {
        env: env.clone(),
        executor: Executor::start(identity::NAME, env, engine),
        authenticator: Arc::new(authenticator),
    };
    let built = identity::build(identity::Needs { base, config: section });
    built.map_err(|error| error.to_string())
}
