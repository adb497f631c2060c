//! Payment: the money of orders, from the authorization to the last refund.
//!
//! In reading order: [`domain`] says what may happen to a payment and what follows from it;
//! [`ports`] what this service needs of a payment provider; [`application`] runs each use case in
//! two commits around one call to the provider; [`adapters`] translate to REST, gRPC, events,
//! tables, and hold the built-in test provider.

pub mod adapters;
pub mod application;
mod config;
pub mod domain;
pub mod ports;
#[cfg(feature = "process")]
mod process;

use std::sync::Arc;
use std::time::Duration;

use contracts::payment::{PaymentApi, PaymentServer};
use platform::Context;
use platform::service::{Base, BuildError, Service, Task};
use platform::store::{Migration, Schema};

use adapters::grpc::Api;
use adapters::test_provider::TestProvider;
use application::Payments;
pub use config::{CaptureMode, Config, TestProviderConfig};
use domain::{LedgerEntry, Notification, Payment};
use ports::Provider;
#[cfg(feature = "process")]
pub use process::Process;

/// The service's name.
pub const NAME: &str = "payment";

pub const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "init",
        sqlite: include_str!("../migrations/sqlite/0001_init.sql"),
        postgres: Some(include_str!("../migrations/postgres/0001_init.sql")),
    },
    Migration {
        number: 2,
        name: "attention",
        sqlite: include_str!("../migrations/sqlite/0002_attention.sql"),
        postgres: Some(include_str!("../migrations/postgres/0002_attention.sql")),
    },
];

/// How often outstanding work at the provider is looked for. Each piece has its own due time.
const RECONCILE_EVERY: Duration = Duration::from_millis(500);
const FORGET_EVERY: Duration = Duration::from_hours(1);

/// The tables of this service.
pub fn schema() -> Schema {
    Schema::new(NAME, MIGRATIONS)
        .aggregate::<Payment>()
        .aggregate::<LedgerEntry>()
        .aggregate::<Notification>()
}

/// What this service is given.
pub struct Needs {
    pub base: Base,
    pub config: Config,
}

/// The service, and its API for others.
pub struct Built {
    pub service: Service,
    pub api: Arc<dyn PaymentApi>,
}

/// Builds the service with the provider that the configuration names.
pub fn build(needs: Needs) -> Result<Built, BuildError> {
    let provider = Arc::new(test_provider(&needs)?);
    build_with(needs, provider)
}

/// Builds the service with another provider, as simulations and tests do.
pub fn build_with(needs: Needs, provider: Arc<dyn Provider>) -> Result<Built, BuildError> {
    let Needs { base, config } = needs;
    config.check()?;
    let outside = adapters::outside();
    let timeout = Duration::from_millis(config.provider_timeout_ms);
    let payments = Payments::new(base.executor.clone(), provider, outside, timeout);
    let captures_at_once = config.capture == CaptureMode::Automatic;
    let api: Arc<dyn PaymentApi> = Arc::new(Api { payments: payments.clone() });
    let server = PaymentServer::new(api.clone(), base.env.clone()).into_service();
    let service = Service {
        name: NAME,
        http: adapters::http::ROUTES.over(Arc::new(payments.clone()), base.module_deps())?,
        grpc: Some(tonic::service::Routes::new(server)),
        consumers: vec![adapters::events::consumer(payments.clone(), captures_at_once)],
        tasks: tasks(&payments),
        executor: base.executor,
    };
    Ok(Built { service, api })
}

/// The test provider as it is configured.
pub fn test_provider(needs: &Needs) -> Result<TestProvider, BuildError> {
    let config = &needs.config.test_provider;
    let env = needs.base.env.clone();
    let (pace, secret) = (config.pace(), config.secret(&env)?);
    match &config.folder {
        None => Ok(TestProvider::new(env, pace, secret)),
        Some(folder) => TestProvider::open(env, pace, secret, folder).map_err(|error| {
            let folder = folder.display();
            BuildError::new(format!("payment.test_provider.folder is {folder}: {error}"))
        }),
    }
}

fn tasks(payments: &Payments) -> Vec<Task> {
    let reconciling = payments.clone();
    let forgetting = payments.clone();
    vec![
        Task::new("payment.reconcile", RECONCILE_EVERY, move |context: Context| {
            let payments = reconciling.clone();
            async move { payments.reconcile(&context).await.map_err(|error| error.to_string()) }
        }),
        Task::new("payment.forget_notifications", FORGET_EVERY, move |context: Context| {
            let payments = forgetting.clone();
            async move {
                payments.forget_notifications(&context).await.map_err(|error| error.to_string())
            }
        }),
    ]
}
