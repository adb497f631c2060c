//! Catalog: what a shop sells, how shoppers find it, and the files it comes from.
//!
//! In reading order: [`domain`] holds products, variants, categories and the pure importers;
//! [`ports`] what this service needs of stock and of its own projections; [`application`] the use
//! cases, among them the import of files of any length; [`adapters`] translate to REST, gRPC,
//! events, tables, full-text search and inventory.

pub mod adapters;
pub mod application;
mod config;
pub mod domain;
pub mod ports;
#[cfg(feature = "process")]
mod process;

use std::sync::Arc;

use contracts::catalog::{CatalogApi, CatalogServer};
use contracts::inventory::InventoryApi;
use platform::service::{Base, BuildError, Service};
use platform::store::{Migration, Schema};

use adapters::grpc::Api;
#[cfg(feature = "postgres")]
use adapters::queries::PostgresListingProjection;
use adapters::queries::memory::MemoryListingOf;
use adapters::queries::{MemoryListing, SqliteListingProjection};
use adapters::stock::InventoryStock;
use application::{Catalog, Importer};
pub use config::Config;
use domain::{Availability, Category, Product};
use ports::{Listing, Stock};
#[cfg(feature = "process")]
pub use process::Process;

/// The service's name.
pub const NAME: &str = "catalog";

pub const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "init",
    sqlite: include_str!("../migrations/sqlite/0001_init.sql"),
    // Without the code that fills the projections, their tables would stay empty.
    #[cfg(feature = "postgres")]
    postgres: Some(include_str!("../migrations/postgres/0001_init.sql")),
    #[cfg(not(feature = "postgres"))]
    postgres: None,
}];

/// The tables of this service, with its projections on SQLite and, if it is built for servers, on
/// PostgreSQL.
pub fn schema(config: &Config) -> Schema {
    let schema =
        tables().project_sqlite(Arc::new(SqliteListingProjection::new(config.locale.clone())));
    #[cfg(feature = "postgres")]
    let schema =
        schema.project_postgres(Arc::new(PostgresListingProjection::new(config.locale.clone())));
    schema
}

/// The tables with projections in memory, and what reads those: for simulation and tests.
pub fn schema_in_memory(config: &Config) -> (Schema, Arc<MemoryListing>) {
    let listing = Arc::new(MemoryListing::new(config.locale.clone()));
    (tables().project_memory(listing.clone()), listing)
}

fn tables() -> Schema {
    Schema::new(NAME, MIGRATIONS)
        .aggregate::<Product>()
        .aggregate::<Category>()
        .aggregate::<Availability>()
}

/// What this service is given.
pub struct Needs {
    pub base: Base,
    pub config: Config,
    pub inventory: Arc<dyn InventoryApi>,
}

/// The service, its API for others, and what the command line uses directly.
pub struct Built {
    pub service: Service,
    pub api: Arc<dyn CatalogApi>,
    pub importer: Arc<Importer>,
    pub catalog: Catalog,
}

/// Builds the service over its store, on SQLite or on PostgreSQL.
pub fn build(needs: Needs) -> Result<Built, BuildError> {
    let listing = adapters::queries::over(needs.base.executor.store()).ok_or_else(|| {
        BuildError::new("catalog: this store has no search; in memory, use build_in_memory")
    })?;
    build_with(needs, listing)
}

/// Builds the service over a memory store made from [`schema_in_memory`].
pub fn build_in_memory(needs: Needs, listing: Arc<MemoryListing>) -> Result<Built, BuildError> {
    let store = needs.base.executor.store().clone();
    build_with(needs, Arc::new(MemoryListingOf { listing, store }))
}

fn build_with(needs: Needs, listing: Arc<dyn Listing>) -> Result<Built, BuildError> {
    let Needs { base, config, inventory } = needs;
    let stock: Arc<dyn Stock> = Arc::new(InventoryStock { inventory, env: base.env.clone() });
    let catalog = Catalog::new(
        base.executor.clone(),
        listing,
        stock,
        adapters::events::publish,
        config.settings(),
    );
    let importer = Arc::new(Importer::new(catalog.clone(), adapters::http::refusal));
    let api: Arc<dyn CatalogApi> = Arc::new(Api { catalog: catalog.clone() });
    let server = CatalogServer::new(api.clone(), base.env.clone()).into_service();
    let served = adapters::http::App { catalog: catalog.clone(), importer: importer.clone() };
    let service = Service {
        name: NAME,
        http: adapters::http::ROUTES.over(served, base.module_deps())?,
        grpc: Some(tonic::service::Routes::new(server)),
        consumers: vec![adapters::events::consumer(catalog.clone())],
        tasks: Vec::new(),
        executor: base.executor,
    };
    Ok(Built { service, api, importer, catalog })
}
