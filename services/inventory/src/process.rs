//! Inventory as a process of its own.

use contracts::auth_source;
use contracts::ordering::OrderingClient;
use platform::process::{Parts, Standalone, Standing};
use platform::service::BuildError;
use platform::store::Schema;

use crate::{Config, NAME, Needs};

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
        parts.ask_identity(NAME, auth_source::over)?;
        let orders = parts.client("ordering", OrderingClient::new)?;
        let needs = Needs { base: parts.base, config: parts.config, orders };
        Ok(Standing::new(crate::build(needs)?.service))
    }
}
