//! Inventory as a process of its own.

use std::sync::Arc;

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
        let (base, peers) = (parts.base, parts.peers);
        let source = auth_source::over(peers.channel("identity")?, base.env.clone(), NAME);
        base.authenticator.connect(source);
        let orders = OrderingClient::new(peers.channel("ordering")?, base.env.clone());
        let needs = Needs { base, config: parts.config, orders: Arc::new(orders) };
        Ok(Standing::new(crate::build(needs)?.service))
    }
}
