//! Catalog as a process of its own.

use std::sync::Arc;

use contracts::auth_source;
use contracts::inventory::InventoryClient;
use platform::process::{Parts, Standalone, Standing};
use platform::service::BuildError;
use platform::store::Schema;

use crate::application::Importer;
use crate::{Config, NAME, Needs};

/// What [`platform::process`] runs.
pub struct Process;

impl Standalone for Process {
    const NAME: &'static str = NAME;
    const CONTRACTS: &'static [u8] = contracts::DESCRIPTOR_SET;
    type Config = Config;

    fn schema(config: &Config) -> Schema {
        crate::schema(config)
    }

    fn build(parts: Parts<Config>) -> Result<Standing, BuildError> {
        Self::build_with_importer(parts).map(|(standing, _)| standing)
    }
}

impl Process {
    /// The same, with what imports product files.
    pub fn build_with_importer(
        parts: Parts<Config>,
    ) -> Result<(Standing, Arc<Importer>), BuildError> {
        parts.ask_identity(NAME, auth_source::over)?;
        let inventory = parts.client("inventory", InventoryClient::new)?;
        let needs = Needs { base: parts.base, config: parts.config, inventory };
        let built = crate::build(needs)?;
        Ok((Standing::new(built.service), built.importer))
    }
}
