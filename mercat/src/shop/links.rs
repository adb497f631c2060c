//! Where each provider runs, as its consumers see it: the one file that decides it.

use std::sync::Arc;

use contracts::catalog::{CatalogApi, CatalogClient, CatalogDirect, CatalogServer};
use contracts::identity::{IdentityApi, IdentityClient, IdentityDirect, IdentityServer};
use contracts::inventory::{InventoryApi, InventoryClient, InventoryDirect, InventoryServer};
use contracts::payment::{PaymentApi, PaymentClient, PaymentDirect, PaymentServer};
use platform::Env;
use platform::rpc::loopback;
use tonic::service::Routes;

use crate::cli::Topology;

pub struct Links {
    env: Env,
    topology: Topology,
}

/// Direct: the message is moved. Loopback: through the generated server and client.
macro_rules! link {
    ($name:ident: $api:ident, $direct:ident, $server:ident, $client:ident) => {
        pub fn $name(&self, provider: Arc<dyn $api>) -> Arc<dyn $api> {
            let env = self.env.clone();
            match self.topology {
                Topology::Embedded => Arc::new($direct::new(provider, env)),
                Topology::Loopback => {
                    let server = $server::new(provider, env.clone()).into_service();
                    Arc::new($client::new(loopback(Routes::new(server)), env))
                }
            }
        }
    };
}

impl Links {
    pub fn new(env: Env, topology: Topology) -> Self {
        Self { env, topology }
    }

    link!(identity: IdentityApi, IdentityDirect, IdentityServer, IdentityClient);
    link!(catalog: CatalogApi, CatalogDirect, CatalogServer, CatalogClient);
    link!(inventory: InventoryApi, InventoryDirect, InventoryServer, InventoryClient);
    link!(payment: PaymentApi, PaymentDirect, PaymentServer, PaymentClient);
}
