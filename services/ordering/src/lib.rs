//! Ordering: carts, what they cost, and the checkout that makes one live order of each.
//!
//! In reading order: [`domain`] (`checkout.rs` is the saga, `pricing/` what things add up to);
//! [`ports`], what ordering asks of catalog, inventory and payment; [`application`] (one use case a
//! file; `complete_cart.rs` places an order, `run_checkout.rs` drives it to its end);
//! [`adapters`] (tables, REST, contract, events).

pub mod adapters;
pub mod application;
mod config;
pub mod domain;
pub mod ports;
#[cfg(feature = "process")]
mod process;

use std::sync::Arc;
use std::time::Duration;

use contracts::catalog::CatalogApi;
use contracts::inventory::InventoryApi;
use contracts::ordering::{OrderingApi, OrderingServer};
use contracts::payment::PaymentApi;
use platform::executor::Executor;
use platform::service::{Base, BuildError, Service, Task};

use adapters::catalog::Catalog;
use adapters::grpc::OrderingGrpc;
use adapters::inventory::Inventory;
use adapters::payment::Payment;
pub use adapters::store::{MIGRATIONS, schema};
use adapters::{events, gauge, http};
use application::App;
use application::run_checkout::Driver;
use application::watch_checkouts::oldest_checkout;
pub use config::Config;
#[cfg(feature = "process")]
pub use process::Process;

/// The service's name.
pub const NAME: &str = "ordering";

/// What this service is given.
pub struct Needs {
    pub base: Base,
    pub config: Config,
    pub catalog: Arc<dyn CatalogApi>,
    pub inventory: Arc<dyn InventoryApi>,
    pub payment: Arc<dyn PaymentApi>,
}

pub struct Built {
    pub service: Service,
    pub api: Arc<dyn OrderingApi>,
}

pub fn build(needs: Needs) -> Result<Built, BuildError> {
    let Needs { base, config, catalog, inventory, payment } = needs;
    let limits = config.limits()?;
    let driver = Arc::new(Driver::new(
        base.executor.clone(),
        Arc::new(Inventory::new(inventory)),
        Arc::new(Payment::new(payment)),
        Arc::new(http::render_completed),
        limits.clone(),
    ));
    let prices = Arc::new(Catalog::new(catalog));
    let app = Arc::new(App::new(base.executor.clone(), prices, driver.clone(), limits));
    let module = http::ROUTES.over(app.clone(), base.module_deps())?;
    let api: Arc<dyn OrderingApi> = Arc::new(OrderingGrpc::new(app.clone()));
    let server = OrderingServer::new(api.clone(), base.env.clone()).into_service();
    let service = Service {
        name: NAME,
        http: module,
        grpc: Some(tonic::service::Routes::new(server)),
        consumers: events::consumers(app.clone()),
        tasks: vec![
            resume_checkouts(driver),
            watch_checkouts(base.executor.clone()),
            expire_carts(app.clone()),
            erase_customers(app),
        ],
        executor: base.executor,
    };
    Ok(Built { service, api })
}

/// At the first turn every checkout that an earlier process left open, then those that are overdue.
fn resume_checkouts(driver: Arc<Driver>) -> Task {
    Task::new("ordering.checkouts", Duration::from_secs(1), move |context| {
        let driver = driver.clone();
        async move { driver.resume(&context).await.map_err(|error| error.to_string()) }
    })
}

fn watch_checkouts(executor: Executor) -> Task {
    Task::new("ordering.oldest-checkout", Duration::from_secs(5), move |_| {
        let executor = executor.clone();
        async move {
            let age = oldest_checkout(&executor).await.map_err(|error| error.to_string())?;
            gauge::oldest_checkout(age);
            Ok(())
        }
    })
}

fn expire_carts(app: Arc<App>) -> Task {
    Task::new("ordering.carts", Duration::from_mins(1), move |context| {
        let app = app.clone();
        async move { app.expire_carts(&context).await.map(|_| ()).map_err(|e| e.to_string()) }
    })
}

/// Those of whom identity told that they are to be forgotten.
fn erase_customers(app: Arc<App>) -> Task {
    Task::new("ordering.erasures", Duration::from_secs(1), move |context| {
        let app = app.clone();
        async move { app.continue_erasures(&context).await.map_err(|error| error.to_string()) }
    })
}
