//! Ordering as a process of its own.

use contracts::auth_source;
use contracts::catalog::CatalogClient;
use contracts::inventory::InventoryClient;
use contracts::payment::PaymentClient;
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
        let needs = Needs {
            catalog: parts.client("catalog", CatalogClient::new)?,
            inventory: parts.client("inventory", InventoryClient::new)?,
            payment: parts.client("payment", PaymentClient::new)?,
            base: parts.base,
            config: parts.config,
        };
        Ok(Standing::new(crate::build(needs)?.service))
    }
}
