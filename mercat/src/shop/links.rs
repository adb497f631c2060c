//! Where each provider runs, as its consumers see it: the one file that decides it.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use contracts::catalog::{CatalogApi, CatalogClient, CatalogDirect, CatalogServer};
use contracts::identity::{IdentityApi, IdentityClient, IdentityDirect, IdentityServer};
use contracts::inventory::{InventoryApi, InventoryClient, InventoryDirect, InventoryServer};
use contracts::ordering::{OrderingApi, OrderingClient, OrderingDirect, OrderingServer, v1};
use contracts::payment::{PaymentApi, PaymentClient, PaymentDirect, PaymentServer};
use kernel::ErrorKind;
use platform::rpc::{CallError, loopback};
use platform::{Context, Env};
use tonic::service::Routes;

pub struct Links {
    env: Env,
    carrier: Carrier,
}

/// How services of one process call each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The message is moved.
    Direct,
    /// Through the generated server and client.
    Loopback,
}

macro_rules! link {
    ($name:ident: $api:ident, $direct:ident, $server:ident, $client:ident) => {
        pub fn $name(&self, provider: Arc<dyn $api>) -> Arc<dyn $api> {
            let env = self.env.clone();
            match self.carrier {
                Carrier::Direct => Arc::new($direct::new(provider, env)),
                Carrier::Loopback => {
                    let server = $server::new(provider, env.clone()).into_service();
                    Arc::new($client::new(loopback(Routes::new(server)), env))
                }
            }
        }
    };
}

impl Links {
    pub fn new(env: Env, carrier: Carrier) -> Self {
        Self { env, carrier }
    }

    link!(identity: IdentityApi, IdentityDirect, IdentityServer, IdentityClient);
    link!(catalog: CatalogApi, CatalogDirect, CatalogServer, CatalogClient);
    link!(inventory: InventoryApi, InventoryDirect, InventoryServer, InventoryClient);
    link!(ordering: OrderingApi, OrderingDirect, OrderingServer, OrderingClient);
    link!(payment: PaymentApi, PaymentDirect, PaymentServer, PaymentClient);
}

/// Ordering as inventory sees it, which is built first: nobody is there until it is connected.
#[derive(Clone, Default)]
pub struct LateOrdering {
    api: Arc<OnceLock<Arc<dyn OrderingApi>>>,
}

impl LateOrdering {
    /// Once; a second one is ignored.
    pub fn connect(&self, api: Arc<dyn OrderingApi>) {
        let _ = self.api.set(api);
    }
}

#[async_trait]
impl OrderingApi for LateOrdering {
    async fn get_order(
        &self,
        context: Context,
        request: v1::GetOrderRequest,
    ) -> Result<v1::GetOrderReply, CallError> {
        let Some(api) = self.api.get() else {
            let detail = "ordering is not built yet";
            return Err(CallError::new(ErrorKind::Unavailable, "not-connected", detail));
        };
        api.get_order(context, request).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Knows;

    #[async_trait]
    impl OrderingApi for Knows {
        async fn get_order(
            &self,
            _: Context,
            request: v1::GetOrderRequest,
        ) -> Result<v1::GetOrderReply, CallError> {
            let (order_id, status) = (request.order_id, "confirmed".to_owned());
            Ok(v1::GetOrderReply { order_id, status, total_minor: 1, currency: "EUR".to_owned() })
        }
    }

    #[tokio::test]
    async fn ordering_is_away_until_it_is_connected() {
        let env = Env::test().env;
        for carrier in [Carrier::Direct, Carrier::Loopback] {
            let late = LateOrdering::default();
            let seen: Arc<dyn OrderingApi> = Arc::new(late.clone());
            let ask = || {
                let context = Context::background(&env, "test", Duration::from_secs(5));
                seen.get_order(context, v1::GetOrderRequest { order_id: vec![7; 16] })
            };
            let before = ask().await.map_err(|error| error.kind);
            assert_eq!(before.map(|reply| reply.status), Err(ErrorKind::Unavailable));
            late.connect(Links::new(env.clone(), carrier).ordering(Arc::new(Knows)));
            assert_eq!(ask().await.map(|reply| reply.status), Ok("confirmed".to_owned()));
        }
    }
}
