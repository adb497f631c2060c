//! The use cases, one a file. Each reads first (remote calls before anything), then hands one
//! command to the executor. None holds a transaction, none knows a transport.

pub mod app;
pub mod browse_orders;
pub mod cancel_order;
pub mod change_cart;
pub mod close_checkout;
pub mod complete_cart;
pub mod configure_tariff;
pub mod create_cart;
pub mod delete_cart;
pub mod erase_customer;
pub mod error;
pub mod expire_carts;
pub mod follow_payments;
pub mod get_cart;
mod kept_answers;
pub mod merge_carts;
pub mod note_order;
pub mod place_order;
pub mod put_carts;
pub mod read_tariff;
pub mod run_checkout;
mod steady;
pub mod watch_checkouts;

pub use app::{App, Limits, Seen, SeenCart, SeenOrder};
pub use error::Error;
