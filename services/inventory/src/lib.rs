//! Inventory: where stock lies, how much of it, what orders hold of it, and the ledger of every
//! unit that came or went. It never sells a unit twice.
//!
//! In reading order: [`domain`] (`stock.rs` has the rule of the house), [`application`] (one use
//! case a file; `reserve_stock.rs` and `settle_order.rs` are the life of a reservation),
//! [`ports`], what inventory asks of ordering, [`adapters`] (tables, contract, events, REST).

pub mod adapters;
pub mod application;
pub mod domain;
pub mod ports;
#[cfg(feature = "process")]
mod process;

use std::sync::Arc;
use std::time::Duration;

use contracts::inventory::{InventoryApi, InventoryServer};
use contracts::ordering::OrderingApi;
use platform::service::{Base, BuildError, Service, Task};
use serde::{Deserialize, Serialize};

pub use adapters::store::schema;
use adapters::{events, grpc::InventoryGrpc, http, orders::Ordering};
use application::expire_reservations::Expiry;
use application::{Inventory, Settings};
#[cfg(feature = "process")]
pub use process::Process;

pub const NAME: &str = "inventory";

/// `[inventory]` in the configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Stock of variants without a threshold of their own is low at this many free units, 0 to
    /// 1,000,000.
    pub low_stock_threshold: u32,
    /// How often reservations whose time is over are looked for, 100 to 60,000.
    pub expiry_interval_ms: u64,
    /// How long the list of locations is remembered, 0 to 60,000. Changes made through this process
    /// are seen at once.
    pub locations_ttl_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { low_stock_threshold: 0, expiry_interval_ms: 1000, locations_ttl_ms: 5000 }
    }
}

impl Config {
    /// Says which key is wrong, what it holds and what it may hold.
    fn check(&self) -> Result<(), BuildError> {
        let rules = [
            ("low_stock_threshold", u64::from(self.low_stock_threshold), 0..=1_000_000),
            ("expiry_interval_ms", self.expiry_interval_ms, 100..=60_000),
            ("locations_ttl_ms", self.locations_ttl_ms, 0..=60_000),
        ];
        for (key, value, allowed) in rules {
            if !allowed.contains(&value) {
                let (from, to) = allowed.into_inner();
                let text = format!("inventory.{key} is {value}; it may be {from} to {to}");
                return Err(BuildError(text));
            }
        }
        Ok(())
    }
}

/// What this service is given.
pub struct Needs {
    pub base: Base,
    pub config: Config,
    /// Asked by the task that ends reservations and by nothing else: no request waits for it. It may
    /// be connected later than this service is built.
    pub orders: Arc<dyn OrderingApi>,
}

pub struct Built {
    pub service: Service,
    pub api: Arc<dyn InventoryApi>,
}

pub fn build(needs: Needs) -> Result<Built, BuildError> {
    let Needs { base, config, orders } = needs;
    config.check()?;
    let settings = Settings {
        low_stock_threshold: i64::from(config.low_stock_threshold),
        locations_ttl_ms: config.locations_ttl_ms,
    };
    let inventory = Inventory::new(base.executor.clone(), settings);
    let module = http::ROUTES.over(inventory.clone(), base.module_deps())?;
    let api: Arc<dyn InventoryApi> = Arc::new(InventoryGrpc::new(inventory.clone()));
    let server = InventoryServer::new(api.clone(), base.env.clone()).into_service();
    let service = Service {
        name: NAME,
        http: module,
        grpc: Some(tonic::service::Routes::new(server)),
        consumers: events::consumers(&inventory),
        tasks: vec![
            enrolment(inventory.clone()),
            expiry(
                Expiry::new(inventory, Arc::new(Ordering::new(orders))),
                Duration::from_millis(config.expiry_interval_ms),
            ),
        ],
        executor: base.executor,
    };
    Ok(Built { service, api })
}

/// How often variants are looked for whose units an import did not tell.
const ENROLMENT: Duration = Duration::from_secs(2);

fn enrolment(inventory: Inventory) -> Task {
    Task::new("inventory.enrolment", ENROLMENT, move |context| {
        let inventory = inventory.clone();
        async move { inventory.enrol_due(&context).await.map_err(|error| error.to_string()) }
    })
}

fn expiry(expiry: Expiry, every: Duration) -> Task {
    Task::new("inventory.expiry", every, move |context| {
        let expiry = expiry.clone();
        async move {
            let turn = expiry.expire_due(&context).await.map_err(|error| error.to_string())?;
            metrics::gauge!("inventory_expiry_undecided").set(turn.undecided as f64);
            if turn.ended > 0 {
                metrics::counter!("inventory_reservations_expired_total").increment(turn.ended);
                tracing::info!(expired = turn.ended, "reservations ran out of time");
            }
            Ok(())
        }
    })
    .after_backlog()
}
