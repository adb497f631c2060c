//! The use cases of inventory, one a file. Each reads what it needs and hands one command to the
//! executor; the command decides with `domain` alone. No transport, no SQL, no clock.

mod error;
mod locations;
mod reach;
mod shelf;

pub mod adjust_stock;
pub mod apply_counts;
pub mod enrol_variants;
pub mod expire_reservations;
pub mod get_availability;
pub mod get_counts;
pub mod list_levels;
pub mod list_movements;
pub mod list_reservations;
pub mod manage_locations;
pub mod receive_stock;
pub mod reserve_stock;
pub mod set_policy;
pub mod settle_order;
pub mod transfer_stock;

use std::sync::Arc;

use platform::executor::Executor;
use platform::store::Store;

pub use error::Error;
pub use shelf::{Booked, Booking};

/// What every use case stands on. Cheap to clone.
#[derive(Clone)]
pub struct Inventory {
    executor: Executor,
    locations: Arc<locations::Locations>,
    settings: Settings,
}

/// What the operator may choose.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The threshold of variants for which nobody has set one.
    pub low_stock_threshold: i64,
    /// How long the list of locations may be remembered, in milliseconds of monotonic time.
    pub locations_ttl_ms: u64,
}

/// One page of a list, before it is shown.
pub struct Found<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

impl Inventory {
    pub fn new(executor: Executor, settings: Settings) -> Self {
        let locations = Arc::new(locations::Locations::new(
            executor.clone(),
            std::time::Duration::from_millis(settings.locations_ttl_ms),
        ));
        Self { executor, locations, settings }
    }

    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    fn store(&self) -> &Store {
        self.executor.store()
    }
}

impl<T> Found<T> {
    /// `items` holds one more than `limit` when there is another page; `cursor` names the place of
    /// an element.
    fn page(mut items: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> String) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more { items.last().map(cursor) } else { None };
        Self { items, next_cursor }
    }
}
