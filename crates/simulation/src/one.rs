//! The same shop in one process: services call each other directly, and events go from outbox to
//! inbox without a broker. See `mercat/src/shop`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use contracts::auth_source::ContractAuthSource;
use contracts::catalog::CatalogDirect;
use contracts::identity::IdentityDirect;
use contracts::inventory::{InventoryApi, InventoryDirect};
use contracts::ordering::{OrderingApi, OrderingDirect, v1};
use contracts::payment::PaymentDirect;
use kernel::ErrorKind;
use platform::auth::Authenticator;
use platform::bus::{LocalBus, Subscription};
use platform::executor::Executor;
use platform::rpc::CallError;
use platform::service::{Base, Service, Task};
use platform::shutdown::Shutdown;
use platform::{Context, Env};

use crate::core::Node;
use crate::disk::DiskEngine;
use crate::env::env_of;
use crate::net::Door;
use crate::shop::{Built, ISSUER, Shop, about, wrong};

/// What the one process is called.
pub const NAME: &str = "shop";

/// A process with everything in it, not yet working.
struct Whole {
    env: Env,
    authenticator: Arc<Authenticator>,
    services: Vec<Service>,
    setup: identity::Setup,
}

impl Shop {
    pub fn start_whole(self: &Arc<Self>, node: Node) -> Built<()> {
        let Whole { env, authenticator, services, setup } = self.build_whole(node)?;
        let needs = gateway::Needs {
            env: env.clone(),
            config: gateway::Config::default(),
            authenticator: authenticator.clone(),
            modules: services.iter().map(|service| service.http.clone()).collect(),
            about: about(),
            files: None,
        };
        let http = gateway::build(needs).map_err(wrong)?;
        let bus = local_bus(&env, &services);
        let shop = self.clone();
        self.core.spawn(node, async move {
            shop.bootstrap(&env, &setup).await;
            let shutdown = Shutdown::new();
            bus.start(&shutdown);
            authenticator.task().start(&env, gateway::NAME, shutdown.clone());
            begin_tasks(&env, bus, &services, &shutdown);
            let _ = authenticator.refresh().await;
            shop.net.set(node, Some(Door::new(http, None)));
        });
        Ok(())
    }

    fn build_whole(&self, node: Node) -> Built<Whole> {
        let env = env_of(&self.core, node);
        let authenticator = Arc::new(Authenticator::new(env.clone(), ISSUER, ISSUER));
        let base = |service: &'static str| {
            let engine = DiskEngine::open(&self.core, &self.disks.by_service[service], node, false);
            let executor = Executor::start(service, &env, engine);
            Base { env: env.clone(), executor, authenticator: authenticator.clone() }
        };
        let identity = self.identity_over(base(identity::NAME))?;
        let api = Arc::new(IdentityDirect::new(identity.api, env.clone()));
        let keys = ContractAuthSource::new(api, env.clone(), gateway::NAME);
        authenticator.connect(Arc::new(keys));
        let late = Late::default();
        let inventory = inventory::build(inventory::Needs {
            base: base(inventory::NAME),
            config: inventory::Config::default(),
            orders: Arc::new(late.clone()),
        });
        let inventory = inventory.map_err(wrong)?;
        let stock: Arc<dyn InventoryApi> =
            Arc::new(InventoryDirect::new(inventory.api, env.clone()));
        let needs = catalog::Needs {
            base: base(catalog::NAME),
            config: catalog::Config::default(),
            inventory: stock.clone(),
        };
        let catalog = catalog::build_in_memory(needs, self.disks.listing.clone()).map_err(wrong)?;
        let needs = payment::Needs { base: base(payment::NAME), config: self.payment_config() };
        let payment = payment::build_with(needs, self.provider.clone()).map_err(wrong)?;
        let ordering = ordering::build(ordering::Needs {
            base: base(ordering::NAME),
            config: ordering::Config::default(),
            catalog: Arc::new(CatalogDirect::new(catalog.api, env.clone())),
            inventory: stock,
            payment: Arc::new(PaymentDirect::new(payment.api, env.clone())),
        });
        let ordering = ordering.map_err(wrong)?;
        let _ = late.api.set(Arc::new(OrderingDirect::new(ordering.api, env.clone())));
        let services = vec![
            identity.service,
            catalog.service,
            inventory.service,
            ordering.service,
            payment.service,
        ];
        Ok(Whole { env, authenticator, services, setup: identity.setup })
    }
}

fn local_bus(env: &Env, services: &[Service]) -> Arc<LocalBus> {
    let publishers = services.iter().map(|service| service.executor.clone()).collect();
    let subscriptions = services.iter().flat_map(|service| {
        let subscribe = |consumer: &platform::event::Consumer| Subscription {
            consumer: consumer.clone(),
            executor: service.executor.clone(),
        };
        service.consumers.iter().map(subscribe).collect::<Vec<_>>()
    });
    Arc::new(LocalBus::new(env.clone(), publishers, subscriptions.collect()))
}

fn begin_tasks(env: &Env, bus: Arc<LocalBus>, services: &[Service], shutdown: &Shutdown) {
    let mut later = Vec::new();
    for service in services {
        for task in &service.tasks {
            if task.after_backlog {
                later.push((service.name, task.clone()));
            } else {
                task.clone().start(env, service.name, shutdown.clone());
            }
        }
        Task::forget_answers(&service.executor).start(env, service.name, shutdown.clone());
    }
    let (own, shutdown, started) = (env.clone(), shutdown.clone(), env.now());
    env.spawn("after the backlog", async move {
        while bus.has_backlog_before(started).await {
            own.sleep(Duration::from_millis(50)).await;
        }
        for (service, task) in later {
            task.start(&own, service, shutdown.clone());
        }
    });
}

/// Ordering as inventory sees it, which is built first.
#[derive(Clone, Default)]
struct Late {
    api: Arc<OnceLock<Arc<dyn OrderingApi>>>,
}

#[async_trait]
impl OrderingApi for Late {
    async fn get_order(
        &self,
        context: Context,
        request: v1::GetOrderRequest,
    ) -> Result<v1::GetOrderReply, CallError> {
        let absent = || CallError::new(ErrorKind::Unavailable, "not-connected", "not built yet");
        self.api.get().ok_or_else(absent)?.get_order(context, request).await
    }
}
