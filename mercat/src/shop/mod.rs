//! The composition root: every service, its store, its calls, its events.

mod links;

use std::sync::Arc;
use std::time::Duration;

use catalog::application::{Catalog, Importer};
use contracts::auth_source::ContractAuthSource;
use platform::auth::Authenticator;
use platform::bus::{LocalBus, Subscription};
use platform::executor::Executor;
use platform::service::{Base, Service, Task};
use platform::shutdown::Shutdown;
use platform::store::Schema;
use platform::store::sqlite::{Options, SqliteEngine};
use platform::{Context, Env};

use crate::config::Config;
use crate::data::DataFolder;
pub use links::Carrier;
use links::{LateOrdering, Links};

/// All services, wired and not yet running.
pub struct Shop {
    pub env: Env,
    pub authenticator: Arc<Authenticator>,
    pub services: Vec<Service>,
    pub bus: LocalBus,
    pub importer: Arc<Importer>,
    pub catalog: Catalog,
    pub first_staff: Option<identity::OneTimePassword>,
    /// What may be done to accounts by whoever has the data folder.
    pub staff: identity::Setup,
}

struct Stores<'a> {
    env: &'a Env,
    data: &'a DataFolder,
    options: Options,
    authenticator: &'a Arc<Authenticator>,
}

impl Stores<'_> {
    /// Opens (creates, migrates) the database of a service.
    fn base(&self, schema: &Schema) -> Result<Base, String> {
        let path = self.data.database(schema.service)?;
        let engine = SqliteEngine::shared(&path, schema, self.options)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let executor = Executor::start(schema.service, self.env, engine);
        let authenticator = self.authenticator.clone();
        Ok(Base { env: self.env.clone(), executor, authenticator })
    }
}

impl Shop {
    /// Opens the databases and builds every service. Creates what a fresh data folder lacks.
    pub async fn assemble(
        env: &Env,
        config: &Config,
        data: &DataFolder,
        carrier: Carrier,
    ) -> Result<Arc<Self>, String> {
        let mut shop = Self::build(env, config, data, carrier)?;
        let context = Context::background(env, "mercat", Duration::from_mins(1));
        // Last, when nothing can be refused any more: the password is told once.
        let first_staff = shop.staff.bootstrap(&context).await;
        shop.first_staff = first_staff.map_err(|error| format!("identity: {error}"))?;
        Ok(Arc::new(shop))
    }

    /// Every service over its database, each having checked its configuration; nobody works here
    /// yet.
    pub fn build(
        env: &Env,
        config: &Config,
        data: &DataFolder,
        carrier: Carrier,
    ) -> Result<Self, String> {
        let authenticator = Arc::new(Authenticator::new(
            env.clone(),
            config.identity.issuer.clone(),
            config.identity.audience.clone(),
        ));
        let store = &config.store;
        let options = Options { cache_kib: store.cache_kib, durable: !store.forgoes_sync };
        let stores = Stores { env, data, options, authenticator: &authenticator };
        let links = Links::new(env.clone(), carrier);
        let wrong = |error: platform::service::BuildError| error.to_string();

        let identity = identity::build(identity::Needs {
            base: stores.base(&identity::schema())?,
            config: config.identity.clone(),
        })
        .map_err(wrong)?;
        let keys = ContractAuthSource::new(links.identity(identity.api), env.clone(), "gateway");
        authenticator.connect(Arc::new(keys));

        let orders = LateOrdering::default();
        let inventory = inventory::build(inventory::Needs {
            base: stores.base(&inventory::schema())?,
            config: config.inventory.clone(),
            orders: Arc::new(orders.clone()),
        })
        .map_err(wrong)?;
        let stock = links.inventory(inventory.api);

        let catalog = catalog::build(catalog::Needs {
            base: stores.base(&catalog::schema(&config.catalog))?,
            config: config.catalog.clone(),
            inventory: stock.clone(),
        })
        .map_err(wrong)?;

        let payment = payment::build(payment::Needs {
            base: stores.base(&payment::schema())?,
            config: payment_config(config, data)?,
        })
        .map_err(wrong)?;

        let ordering = ordering::build(ordering::Needs {
            base: stores.base(&ordering::schema())?,
            config: config.ordering.clone(),
            catalog: links.catalog(catalog.api),
            inventory: stock,
            payment: links.payment(payment.api),
        })
        .map_err(wrong)?;
        orders.connect(links.ordering(ordering.api));

        let services = vec![
            identity.service,
            catalog.service,
            inventory.service,
            ordering.service,
            payment.service,
        ];
        let bus = bus(env, &services);
        let importer = catalog.importer;
        Ok(Self {
            env: env.clone(),
            authenticator,
            services,
            bus,
            importer,
            catalog: catalog.catalog,
            first_staff: None,
            staff: identity.setup,
        })
    }

    /// Starts relays and periodic work. They end with `shutdown`.
    pub fn start(self: &Arc<Self>, shutdown: &Shutdown) {
        self.bus.start(shutdown);
        self.start_after_backlog(shutdown);
        self.authenticator.task().start(&self.env, "gateway", shutdown.clone());
        for service in &self.services {
            for task in service.tasks.iter().filter(|task| !task.after_backlog) {
                task.clone().start(&self.env, service.name, shutdown.clone());
            }
            let forget = Task::forget_answers(&service.executor);
            forget.start(&self.env, service.name, shutdown.clone());
        }
    }
}

impl Shop {
    /// Work that must not run while events from before this start wait to be delivered.
    fn start_after_backlog(self: &Arc<Self>, shutdown: &Shutdown) {
        let (shop, shutdown) = (self.clone(), shutdown.clone());
        let started = self.env.now();
        self.env.spawn("after the backlog", async move {
            while shop.bus.has_backlog_before(started).await {
                tokio::select! {
                    biased;
                    () = shutdown.draining() => return,
                    () = shop.env.sleep(Duration::from_millis(50)) => {}
                }
            }
            for service in &shop.services {
                for task in service.tasks.iter().filter(|task| task.after_backlog) {
                    task.clone().start(&shop.env, service.name, shutdown.clone());
                }
            }
        });
    }
}

/// The test provider plays somebody outside who remembers: its own file outlives a killed shop.
fn payment_config(config: &Config, data: &DataFolder) -> Result<payment::Config, String> {
    let mut payment = config.payment.clone();
    if payment.test_provider.folder.is_none() {
        payment.test_provider.folder = Some(data.folder("test-provider")?);
    }
    Ok(payment)
}

fn bus(env: &Env, services: &[Service]) -> LocalBus {
    let publishers = services.iter().map(|service| service.executor.clone()).collect();
    let subscriptions = services
        .iter()
        .flat_map(|service| {
            let executor = &service.executor;
            service.consumers.iter().map(move |consumer| Subscription {
                consumer: consumer.clone(),
                executor: executor.clone(),
            })
        })
        .collect();
    LocalBus::new(env.clone(), publishers, subscriptions)
}
