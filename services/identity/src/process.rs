//! Identity as a process of its own.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use contracts::auth_source::ContractAuthSource;
use contracts::identity::IdentityDirect;
use platform::Context;
use platform::process::{Parts, Standalone, Standing};
use platform::service::BuildError;
use platform::store::Schema;

use crate::{Config, NAME, Needs, OneTimePassword};

/// How long the first account may take to be made.
const SETUP: Duration = Duration::from_mins(1);

/// What [`platform::process`] runs.
pub struct Process;

impl Standalone for Process {
    const NAME: &'static str = NAME;
    const CONTRACTS: &'static [u8] = contracts::DESCRIPTOR_SET;
    type Config = Config;

    fn schema(_config: &Config) -> Schema {
        crate::schema()
    }

    fn build(parts: Parts<Config>) -> Result<Standing, BuildError> {
        let base = parts.base;
        let built = crate::build(Needs { base: base.clone(), config: parts.config })?;
        let own = IdentityDirect::new(built.api, base.env.clone());
        let keys = ContractAuthSource::new(Arc::new(own), base.env.clone(), NAME);
        base.authenticator.connect(Arc::new(keys));
        let (setup, env) = (built.setup, base.env);
        let setup = async move {
            let context = Context::background(&env, NAME, SETUP);
            let first = setup.bootstrap(&context).await.map_err(|error| error.to_string())?;
            first.map_or(Ok(()), |first| tell(&first))
        };
        Ok(Standing { service: built.service, setup: Some(Box::pin(setup)) })
    }
}

/// Told once, to whoever started the process, and stored nowhere.
fn tell(first: &OneTimePassword) -> Result<(), String> {
    let text = format!(
        "  staff      {}  password: {}  (shown only now, good for {} days)\n             It opens one \
         thing: choosing your own. Sign in with it at POST /v1/auth/staff/login, choose with POST \
         /v1/auth/password, and sign in again.\n             If it is lost: mercat staff reset-password {}\n",
        first.email,
        first.password.expose(),
        first.valid_days,
        first.email
    );
    let mut out = std::io::stdout().lock();
    let told = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    told.map_err(|error| format!("the first password cannot be told: {error}"))
}
