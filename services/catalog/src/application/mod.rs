//! The use cases, one a file. Each reads what it needs, then hands one command to the executor.

mod browse_categories;
mod change_status;
mod delete_product;
mod error;
pub mod export_products;
mod get_product;
pub mod import;
mod list_products;
mod manage_categories;
mod note_stock;
mod quote_variants;
mod save_product;
mod search_products;

use std::sync::Arc;

use kernel::{Currency, Locale};
use platform::Env;
use platform::executor::{Executor, States};

pub use browse_categories::{Branch, MAX_CHILDREN, Surroundings};
pub use error::Error;
pub use import::Importer;
pub use list_products::Card;
pub use manage_categories::CategoryDraft;
pub use note_stock::CONSUMER;
pub use save_product::ProductDraft;
pub use search_products::SearchPage;

use crate::domain::ProductId;
use crate::domain::events::Event;
use crate::ports::{Listing, Stock};

/// Emits an event about a product in the words of the contract.
pub type Publish = fn(&mut States<'_>, ProductId, &Event);

/// What the shop speaks and counts in when nobody says otherwise.
#[derive(Clone, Debug)]
pub struct Settings {
    pub currency: Currency,
    pub locale: Locale,
}

/// The use cases of this service. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) executor: Executor,
    pub(crate) listing: Arc<dyn Listing>,
    pub(crate) stock: Arc<dyn Stock>,
    pub(crate) publish: Publish,
    pub settings: Arc<Settings>,
}

impl Catalog {
    pub fn new(
        executor: Executor,
        listing: Arc<dyn Listing>,
        stock: Arc<dyn Stock>,
        publish: Publish,
        settings: Settings,
    ) -> Self {
        Self { executor, listing, stock, publish, settings: Arc::new(settings) }
    }

    /// Time, chance and ids, for whoever prepares a command.
    pub fn env(&self) -> &Env {
        self.executor.env()
    }
}
