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
        let (base, peers) = (parts.base, parts.peers);
        let source = auth_source::over(peers.channel("identity")?, base.env.clone(), NAME);
        base.authenticator.connect(source);
        let inventory = InventoryClient::new(peers.channel("inventory")?, base.env.clone());
        let needs = Needs { base, config: parts.config, inventory: Arc::new(inventory) };
        let built = crate::build(needs)?;
        Ok((Standing::new(built.service), built.importer))
    }
}
