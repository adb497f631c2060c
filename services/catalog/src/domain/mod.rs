//! What a shop sells, as pure and synchronous rules: products with their variants, the category
//! tree, which variants can be sold, and the files that products come from and go to.
//!
//! Nothing here reads a clock, draws an id, waits or knows a database. It uses `kernel` only.

pub mod availability;
pub mod category;
pub mod events;
pub mod export;
pub mod fault;
pub mod import;
pub mod offer;
pub mod product;
pub mod text;
pub mod variant;

pub use availability::Availability;
pub use category::{Category, CategoryId};
pub use fault::Fault;
pub use offer::Offer;
pub use product::{Media, MediaId, Product, ProductId, ProductOption, Seo, Status};
pub use variant::{Price, TaxClass, Variant, VariantId, WeightUnit};
