//! From a configuration to a service that serves.

use std::sync::Arc;
use std::time::Duration;

use super::{Parts, Peers, ProcessConfig, Standalone};
use crate::auth::Authenticator;
use crate::bus::operate::operator_routes;
use crate::bus::{BrokeredBus, Subscription};
use crate::env::Env;
use crate::event::Consumer;
use crate::executor::Executor;
use crate::host::{Addresses, Host};
use crate::http::{ServerLimits, ServicePort, service_router};
use crate::service::{Base, Service, Task};
use crate::shutdown::Shutdown;
use crate::store::postgres::{OpenError, Options, PostgresEngine};
use crate::store::{Engine, Schema};
use crate::tls::ServerTls;

/// A server that does not answer yet is asked again after this.
const PAUSE: Duration = Duration::from_millis(500);

/// A service over its database, with its bus; nobody works here yet.
pub struct Assembled {
    pub env: Env,
    pub service: Service,
    pub bus: BrokeredBus,
    pub authenticator: Arc<Authenticator>,
}

/// Opens the database of a service and brings it up to date; waits for a server that is starting,
/// and not for one that refuses us.
pub async fn open_engine(
    env: &Env,
    config: &ProcessConfig,
    schema: &Schema,
) -> Result<Arc<dyn Engine>, String> {
    let database = &config.database;
    let mut options = Options::new(database.url_of(schema.service)?);
    options.writers = database.lanes;
    options.readers = database.readers;
    let patience = Duration::from_secs(database.wait_seconds);
    let begun = env.clock.monotonic();
    let mut told = false;
    loop {
        let error = match PostgresEngine::shared(env, schema, &options).await {
            Ok(engine) => return Ok(engine),
            Err(error) => error,
        };
        if matches!(error, OpenError::Refused(_)) {
            let service = schema.service;
            return Err(format!("the database of {service} (database.url): {error}"));
        }
        if env.clock.monotonic().saturating_sub(begun) >= patience {
            return Err(format!("the database of {} (database.url): {error}", schema.service));
        }
        if !told {
            tracing::warn!(%error, service = schema.service, "the database is waited for");
            told = true;
        }
        env.sleep(PAUSE).await;
    }
}

/// Brings the database of a service up to date, and ends.
pub async fn migrate(env: &Env, config: &ProcessConfig, schema: &Schema) -> Result<(), String> {
    open_engine(env, config, schema).await.map(drop)
}

/// Opens, connects and builds everything of a service, and does what has to be done once.
pub async fn assemble<S: Standalone>(
    env: &Env,
    config: &Arc<ProcessConfig>,
    section: S::Config,
) -> Result<Assembled, String> {
    let schema = S::schema(&section);
    config.check()?;
    let engine = open_engine(env, config, &schema).await?;
    let broker = config.broker.open(env)?;
    let executor = Executor::start_lanes(S::NAME, env, engine, config.database.lanes);
    let authenticator = Arc::new(Authenticator::new(
        env.clone(),
        config.tokens.issuer.clone(),
        config.tokens.audience.clone(),
    ));
    let base =
        Base { env: env.clone(), executor: executor.clone(), authenticator: authenticator.clone() };
    let peers = Peers::new(env.clone(), config.clone());
    let parts = Parts { base, config: section, peers, data: config.data.clone() };
    let standing = S::build(parts).map_err(|error| error.to_string())?;
    if let Some(setup) = standing.setup {
        setup.await?;
    }
    let service = standing.service;
    let subscribe = |consumer: &Consumer| Subscription {
        consumer: consumer.clone(),
        executor: executor.clone(),
    };
    let subscriptions = service.consumers.iter().map(subscribe).collect();
    let bus = BrokeredBus::new(env.clone(), broker, executor.clone(), subscriptions);
    Ok(Assembled { env: env.clone(), service, bus, authenticator })
}

impl Assembled {
    /// Starts relay, consumers and periodic work. They end with `shutdown`.
    pub fn start(self: &Arc<Self>, shutdown: &Shutdown) {
        self.bus.start(shutdown);
        let (name, env) = (self.service.name, &self.env);
        self.authenticator.task().start(env, name, shutdown.clone());
        for task in self.service.tasks.iter().filter(|task| !task.after_backlog) {
            task.clone().start(env, name, shutdown.clone());
        }
        let (this, end) = (self.clone(), shutdown.clone());
        env.spawn("after the backlog", async move {
            tokio::select! {
                biased;
                () = end.draining() => return,
                () = this.bus.caught_up() => {}
            }
            for task in this.service.tasks.iter().filter(|task| task.after_backlog) {
                task.clone().start(&this.env, name, end.clone());
            }
        });
        Task::forget_answers(&self.service.executor).start(env, name, shutdown.clone());
    }
}

/// Runs a service until it is told to end. `ready` runs when it serves.
pub async fn run<S: Standalone>(
    config: ProcessConfig,
    section: S::Config,
    ready: impl FnOnce(Addresses),
) -> Result<(), String> {
    let env = Env::system();
    let mut host = Host::open(&env, S::NAME, config.listen, &config.telemetry).await?;
    let config = Arc::new(config);
    let assembled = Arc::new(assemble::<S>(&env, &config, section).await?);
    host.for_operators = operator_routes(
        vec![assembled.service.executor.clone()],
        assembled.bus.subscriptions().to_vec(),
    );
    assembled.start(&host.shutdown);
    let _ = assembled.authenticator.refresh().await;
    let addresses = host.addresses()?;
    let tls = server_tls(&env, &config)?;
    if !tls.as_ref().is_some_and(ServerTls::is_mutual) && !config.listen.ip().is_loopback() {
        tracing::info!(
            "no mutual TLS: whoever is in one of trusted_networks may call this service"
        );
    }
    let router = service_router(ServicePort {
        env,
        module: assembled.service.http.clone(),
        grpc: assembled.service.grpc.clone(),
        descriptors: S::CONTRACTS,
        shutdown: host.shutdown.clone(),
        trusted: config.trusted_networks.clone(),
    })?;
    let ready = || {
        ready(addresses);
        Ok(())
    };
    host.serve(router, tls, limits(&config), ready).await
}

/// The certificate that this process shows, when it has one.
pub fn server_tls(env: &Env, config: &ProcessConfig) -> Result<Option<ServerTls>, String> {
    let tls = config.tls.as_ref();
    Ok(tls.map(|tls| ServerTls::new(env, tls)).transpose()?.flatten())
}

fn limits(config: &ProcessConfig) -> ServerLimits {
    let drain_timeout = Duration::from_secs(config.drain_seconds);
    ServerLimits { drain_timeout, ..ServerLimits::inner(config.trusted_networks.clone()) }
}
