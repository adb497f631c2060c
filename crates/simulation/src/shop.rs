//! The composition root of a simulated shop: a process a service, as `platform::process` runs them,
//! each over a disk that outlives it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use catalog::adapters::queries::MemoryListing;
use contracts::auth_source;
use contracts::catalog::CatalogClient;
use contracts::inventory::InventoryClient;
use contracts::ordering::OrderingClient;
use contracts::payment::PaymentClient;
use platform::auth::Authenticator;
use platform::bus::memory::MemoryBroker;
use platform::bus::{BrokeredBus, Subscription};
use platform::executor::Executor;
use platform::http::Module;
use platform::service::{Base, Service, Task};
use platform::shutdown::Shutdown;
use platform::{Context, Env};

use crate::broker::SimBroker;
use crate::core::{Core, Node};
use crate::disk::{Disk, DiskEngine};
use crate::env::env_of;
use crate::net::{Door, Net};
use crate::one;
use crate::passwords::Plain;
use crate::plan::Plan;
use crate::provider::SimProvider;
use crate::proxy;

/// Who issues tokens, and for whom.
pub const ISSUER: &str = "mercat";

/// What outlives every process.
pub struct Disks {
    pub by_service: BTreeMap<&'static str, Arc<Disk>>,
    pub listing: Arc<MemoryListing>,
}

impl Default for Disks {
    fn default() -> Self {
        let (catalog, listing) = catalog::schema_in_memory(&catalog::Config::default());
        let schemas = [
            identity::schema(),
            catalog,
            inventory::schema(),
            payment::schema(),
            ordering::schema(),
        ];
        let disks = schemas.map(|schema| (schema.service, Arc::new(Disk::new(schema))));
        Self { by_service: disks.into(), listing }
    }
}

impl Disks {
    /// Others with the same rows.
    pub fn copy(&self) -> Self {
        let (catalog, listing) = catalog::schema_in_memory(&catalog::Config::default());
        let copied = self.by_service.iter().map(|(service, disk)| {
            let schema = match *service {
                catalog::NAME => catalog.clone(),
                _ => disk.schema.clone(),
            };
            (*service, Arc::new(disk.copy(schema)))
        });
        Self { by_service: copied.collect(), listing }
    }
}

/// A shop, its broker, its provider, and the way to all of them.
pub struct Shop {
    pub core: Core,
    pub net: Net,
    pub plan: Plan,
    pub disks: Disks,
    pub broker: MemoryBroker,
    pub provider: Arc<SimProvider>,
    /// The routes of each service, as the gateway has to know them.
    modules: Mutex<BTreeMap<&'static str, Module>>,
    /// Consumers and the services that they hear of.
    pub heard: Mutex<BTreeSet<(&'static str, &'static str)>>,
    /// The one-time password of the first member of staff.
    pub first_password: Mutex<Option<String>>,
}

/// A process in the making.
struct Parts {
    env: Env,
    base: Base,
    net: Net,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was built, or why it could not be.
pub type Built<T> = Result<T, String>;

pub fn wrong(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Shop {
    pub fn new(core: &Core, plan: Plan, disks: Disks) -> Arc<Self> {
        let net = Net::new(core, Plan::machines(), plan.places());
        let provider = SimProvider::new(core, &net);
        Arc::new(Self {
            core: core.clone(),
            net,
            plan,
            disks,
            broker: MemoryBroker::default(),
            provider,
            modules: Mutex::default(),
            heard: Mutex::default(),
            first_password: Mutex::default(),
        })
    }

    pub fn service_of(&self, node: Node) -> &'static str {
        self.plan.nodes.iter().find(|(at, _)| *at == node).map_or("?", |(_, service)| service)
    }

    /// Begins a life of the node. It takes requests as soon as it is ready.
    pub fn start(self: &Arc<Self>, node: Node) -> Built<()> {
        let service = self.service_of(node);
        self.core.tell(|| format!("{service} ({node}) starts"));
        self.core.state().nodes[node].is_dead = false;
        match service {
            gateway::NAME => return self.start_gateway(node),
            one::NAME => return self.start_whole(node),
            _ => {}
        }
        let parts = self.parts(node, service);
        let (env, executor) = (parts.env.clone(), parts.base.executor.clone());
        let authenticator = parts.base.authenticator.clone();
        let (built, setup) = self.build(service, parts)?;
        lock(&self.modules).entry(service).or_insert_with(|| built.http.clone());
        let subscribe = |consumer: &platform::event::Consumer| Subscription {
            consumer: consumer.clone(),
            executor: executor.clone(),
        };
        let subscriptions: Vec<_> = built.consumers.iter().map(subscribe).collect();
        for consumer in &built.consumers {
            lock(&self.heard).extend(consumer.sources.iter().map(|s| (consumer.name, *s)));
        }
        let broker = Arc::new(SimBroker { core: self.core.clone(), inner: self.broker.clone() });
        let bus = Arc::new(BrokeredBus::new(env.clone(), broker, executor, subscriptions));
        let door = Door::new(built.http.router.clone(), built.grpc.clone());
        let net = self.net.clone();
        self.core.spawn(node, async move {
            if let Some(setup) = setup {
                setup.await;
            }
            let shutdown = Shutdown::new();
            work(&env, &built, &bus, &authenticator, &shutdown);
            let _ = authenticator.refresh().await;
            net.set(node, Some(door));
        });
        Ok(())
    }

    fn parts(&self, node: Node, service: &'static str) -> Parts {
        let env = env_of(&self.core, node);
        let engine = DiskEngine::open(&self.core, &self.disks.by_service[service], node, true);
        let executor = Executor::start_lanes(service, &env, engine, 2);
        let authenticator = Arc::new(Authenticator::new(env.clone(), ISSUER, ISSUER));
        if service != identity::NAME {
            let source = auth_source::over(self.net.channel(identity::NAME), env.clone(), service);
            authenticator.connect(source);
        }
        let base = Base { env: env.clone(), executor, authenticator };
        Parts { env, base, net: self.net.clone() }
    }

    fn build(
        self: &Arc<Self>,
        service: &'static str,
        parts: Parts,
    ) -> Built<(Service, Option<platform::env::BoxFuture<()>>)> {
        let Parts { env, base, net } = parts;
        let service = match service {
            identity::NAME => return self.build_identity(env, base),
            catalog::NAME => {
                let stock = InventoryClient::new(net.channel(inventory::NAME), env);
                let config = catalog::Config::default();
                let needs = catalog::Needs { base, config, inventory: Arc::new(stock) };
                catalog::build_in_memory(needs, self.disks.listing.clone()).map_err(wrong)?.service
            }
            inventory::NAME => {
                let orders = Arc::new(OrderingClient::new(net.channel(ordering::NAME), env));
                let config = inventory::Config::default();
                let needs = inventory::Needs { base, config, orders };
                inventory::build(needs).map_err(wrong)?.service
            }
            payment::NAME => {
                let needs = payment::Needs { base, config: self.payment_config() };
                payment::build_with(needs, self.provider.clone()).map_err(wrong)?.service
            }
            _ => {
                let needs = ordering::Needs {
                    base,
                    config: ordering::Config::default(),
                    catalog: Arc::new(CatalogClient::new(net.channel(catalog::NAME), env.clone())),
                    inventory: Arc::new(InventoryClient::new(
                        net.channel(inventory::NAME),
                        env.clone(),
                    )),
                    payment: Arc::new(PaymentClient::new(net.channel(payment::NAME), env)),
                };
                ordering::build(needs).map_err(wrong)?.service
            }
        };
        Ok((service, None))
    }

    fn build_identity(
        self: &Arc<Self>,
        env: Env,
        base: Base,
    ) -> Built<(Service, Option<platform::env::BoxFuture<()>>)> {
        let authenticator = base.authenticator.clone();
        let built = self.identity_over(base)?;
        let own = auth_source::ContractAuthSource::new(built.api, env.clone(), identity::NAME);
        authenticator.connect(Arc::new(own));
        let (setup, shop) = (built.setup, self.clone());
        let setup = async move { shop.bootstrap(&env, &setup).await };
        Ok((built.service, Some(Box::pin(setup))))
    }

    pub fn identity_over(&self, base: Base) -> Built<identity::Built> {
        let config = identity::Config {
            issuer: ISSUER.into(),
            audience: ISSUER.into(),
            ..identity::Config::default()
        };
        identity::build_with(identity::Needs { base, config }, Arc::new(Plain)).map_err(wrong)
    }

    /// What identity does once, before the first request is let in.
    pub async fn bootstrap(&self, env: &Env, setup: &identity::Setup) {
        loop {
            let context = Context::background(env, "mercat", Duration::from_mins(1));
            match setup.bootstrap(&context).await {
                Ok(Some(first)) => {
                    *lock(&self.first_password) = Some(first.password.expose().to_owned());
                    return;
                }
                Ok(None) => return,
                // A process would end here and be started again.
                Err(_) => env.sleep(Duration::from_secs(1)).await,
            }
        }
    }

    pub fn payment_config(&self) -> payment::Config {
        payment::Config { capture: self.plan.capture(), ..payment::Config::default() }
    }

    fn start_gateway(&self, node: Node) -> Built<()> {
        let env = env_of(&self.core, node);
        let authenticator = Arc::new(Authenticator::new(env.clone(), ISSUER, ISSUER));
        let source =
            auth_source::over(self.net.channel(identity::NAME), env.clone(), gateway::NAME);
        authenticator.connect(source);
        let modules = lock(&self.modules).values().cloned().collect::<Vec<_>>();
        let modules = modules.into_iter().map(|mut module| {
            module.router = proxy::router(&self.net, module.name);
            module
        });
        let needs = gateway::Needs {
            env: env.clone(),
            config: gateway::Config::default(),
            authenticator: authenticator.clone(),
            modules: modules.collect(),
            about: about(),
            files: None,
        };
        let http = gateway::build(needs).map_err(wrong)?;
        authenticator.task().start(&env, gateway::NAME, Shutdown::new());
        let net = self.net.clone();
        self.core.spawn(node, async move {
            let _ = authenticator.refresh().await;
            net.set(node, Some(Door::new(http, None)));
        });
        Ok(())
    }

    /// Its life ends here and now.
    pub fn kill(&self, node: Node) {
        self.core.tell(|| format!("{} ({node}) dies", self.service_of(node)));
        self.net.set(node, None);
        self.core.kill(node);
    }

    /// Everything ends, also what the world does. Behind their doors services hold the way to each
    /// other: as long as one is open, none of it is ever given back.
    pub fn end(&self) {
        for node in 0..Plan::machines() {
            self.net.set(node, None);
            self.core.kill(node);
        }
    }
}

pub fn about() -> gateway::About {
    gateway::About {
        version: "0".into(),
        topology: "simulation".into(),
        services: Vec::new(),
        demo: false,
    }
}

/// What a process does beside serving: see `platform::process`.
fn work(
    env: &Env,
    service: &Service,
    bus: &Arc<BrokeredBus>,
    authenticator: &Arc<Authenticator>,
    shutdown: &Shutdown,
) {
    bus.start(shutdown);
    let name = service.name;
    authenticator.task().start(env, name, shutdown.clone());
    let (later, now): (Vec<_>, Vec<_>) =
        service.tasks.iter().cloned().partition(|task| task.after_backlog);
    for task in now {
        task.start(env, name, shutdown.clone());
    }
    let (bus, own, end) = (bus.clone(), env.clone(), shutdown.clone());
    env.spawn("after the backlog", async move {
        bus.caught_up().await;
        for task in later {
            task.start(&own, name, end.clone());
        }
    });
    Task::forget_answers(&service.executor).start(env, name, shutdown.clone());
}
