//! From the product files of other shops to products: pure parsers, row by row.
//!
//! `rows` splits bytes into records and knows physical lines; `columns` gives headers a meaning;
//! `groups` puts the rows of one product together; `shopify` and `vendure` turn a group into an
//! [`Incoming`]; `merge` says what becomes of a stored product. An import adds and changes; it
//! never removes a variant, a picture or a category membership. A cell that has no place of its
//! own is kept aside as an attribute, so nothing of a file is lost.

pub mod cells;
pub mod columns;
pub mod groups;
pub mod incoming;
pub mod merge;
pub mod report;
pub mod rows;
mod shopify;
mod shopify_variant;
mod vendure;

use kernel::{Currency, Locale};

pub use columns::{Column, Format, Layout};
pub use groups::{Group, Groups};
pub use incoming::{Incoming, MediaPatch, PricePatch, ProductPatch, StockPatch, VariantPatch};
pub use report::{Progress, Report, RowError};

/// How a file is to be read.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// `None` finds out from the headers.
    pub format: Option<Format>,
    /// Of prices in columns that name no currency.
    pub currency: Currency,
    /// Of texts in columns that name no locale.
    pub locale: Locale,
    /// Only tell what would happen.
    pub dry_run: bool,
    /// False leaves aside what the file says of stock.
    pub stock: bool,
}

/// What became of one group of rows.
#[derive(Debug)]
pub struct Parsed {
    pub product: Result<Incoming, Vec<RowError>>,
    pub warnings: Vec<RowError>,
}

/// Turns the rows of one product into what the file says of it.
pub fn parse(group: &Group, layout: &Layout, options: &ImportOptions) -> Parsed {
    let mut notes = cells::Notes::new(layout);
    for record in &group.records {
        notes.take_fault(record);
    }
    let incoming = match layout.format {
        Format::Shopify => shopify::parse(group, layout, options, &mut notes),
        Format::Vendure => vendure::parse(group, layout, options, &mut notes),
    };
    let (errors, warnings) = notes.finish();
    Parsed {
        product: match incoming {
            Some(incoming) if errors.is_empty() => Ok(incoming),
            _ => Err(errors),
        },
        warnings,
    }
}
