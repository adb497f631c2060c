//! The shared vocabulary of every service: money, ids, time, quantities, pages, errors.
//!
//! Nothing here does I/O, waits, reads a clock or draws a random number. A type in this crate is
//! a word that at least two services speak; a word of one service belongs to that service.

pub mod address;
pub mod error;
pub mod id;
pub mod locale;
pub mod money;
pub mod page;
pub mod quantity;
pub mod text;
pub mod time;

pub use address::{Address, CountryCode};
pub use error::{Business, ErrorKind, FieldError};
pub use locale::{Locale, LocalizedText};
pub use money::{Currency, Money, MoneyError};
pub use page::{Cursor, Limit};
pub use quantity::Quantity;
pub use text::{Email, Handle, Sku};
pub use time::Timestamp;

#[doc(hidden)]
pub use utoipa;
