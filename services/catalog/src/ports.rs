//! What this service needs of the world, in its own words.

use std::collections::HashMap;

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Currency, Handle, LocalizedText};
use platform::Context;
use platform::store::{Position, StoreError};

use crate::domain::export::StockLevel;
use crate::domain::offer::Offered;
use crate::domain::{CategoryId, ProductId, VariantId};

/// A figure that a file tells about a variant's stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    pub variant: VariantId,
    /// Empty when the variant has none.
    pub sku: String,
    pub level: StockLevel,
}

/// Who keeps the stock does not answer, or does not take what it is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("inventory: {0}")]
pub struct StockError(pub String);

/// Who keeps the stock. Both calls are idempotent and take at most [`Stock::BATCH`] variants.
#[async_trait]
pub trait Stock: Send + Sync {
    /// Sets what an import told; a figure equal to the last one told changes nothing. Answers how
    /// many changed.
    async fn apply(&self, context: &Context, counts: Vec<Count>) -> Result<u32, StockError>;

    /// What is stored of these variants; those it does not know are left out.
    async fn levels(
        &self,
        context: &Context,
        variants: Vec<VariantId>,
    ) -> Result<HashMap<VariantId, StockLevel>, StockError>;
}

/// How many variants [`Stock`] takes in one call.
pub const STOCK_BATCH: usize = 1_000;

/// Which products a shopper wants to see. All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In it or anywhere below it.
    pub category: Option<CategoryId>,
    /// In any letter case.
    pub tag: Option<String>,
    /// In any letter case.
    pub vendor: Option<String>,
    /// The lowest price among the variants lies within these bounds, in minor units.
    pub price: Option<PriceRange>,
    /// Only what can be sold now.
    pub available: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceRange {
    pub currency: Currency,
    pub min: i64,
    pub max: i64,
}

/// The order of a list; ties are broken by the time when the product went on sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Newest,
    /// By the title in the shop's own locale.
    Title,
    /// By the lowest price in the currency; products without one are left out.
    PriceAsc(Currency),
    PriceDesc(Currency),
    /// How well it matches the words searched for; only in a search.
    Relevance,
}

/// One product of a list, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub product: ProductId,
    pub available: bool,
    pub position: Position,
}

/// How many of the matches have a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet<K> {
    pub value: K,
    pub count: u64,
}

/// What the matches of a search have in common; most frequent first, at most fifty each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    pub vendors: Vec<Facet<String>>,
    pub tags: Vec<Facet<String>>,
    pub categories: Vec<Facet<CategoryId>>,
    /// Lowest and highest price in the currency asked for.
    pub price: Option<(i64, i64)>,
    /// False when there are more matches than were counted.
    pub exact: bool,
}

/// A search looks at no more matches than this.
pub const MAX_MATCHES: usize = 5_000;
/// More values of a facet are not listed.
pub const MAX_FACET_VALUES: usize = 50;

/// One page of a search.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub hits: Vec<Hit>,
    /// Only on the first page.
    pub facets: Option<Facets>,
}

/// A category as it stands in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryEntry {
    pub id: CategoryId,
    pub handle: Handle,
    pub title: LocalizedText,
    /// Where it stands among its siblings.
    pub position: Position,
}

/// Categories below one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Children {
    pub list: Vec<CategoryEntry>,
    /// There are more than were listed.
    pub more: bool,
}

/// The published products as shoppers look at them, and every variant as carts ask for it. Sees
/// what was committed before the call.
#[async_trait]
pub trait Listing: Send + Sync {
    /// Up to `limit` products after `after`, each product once over all pages.
    async fn products(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Vec<Hit>, StoreError>;

    /// Products that hold all words of `query` or words that begin with them (a single letter or
    /// digit of ASCII is a whole word); when those are few, also products with words that are a
    /// typing error away. Of more than [`MAX_MATCHES`], those with the words in the title and the
    /// newest.
    async fn search(
        &self,
        query: &str,
        filter: &Filter,
        sort: Sort,
        currency: Currency,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Found, StoreError>;

    /// Up to `limit` categories directly below each of `parents` (at the top for `None`), in their
    /// order, behind `after`; at most `most` in all.
    async fn categories_below(
        &self,
        parents: Vec<Option<CategoryId>>,
        after: Option<Position>,
        limit: usize,
        most: usize,
    ) -> Result<Vec<Children>, StoreError>;

    /// How many categories there are.
    async fn count_categories(&self) -> Result<usize, StoreError>;

    /// In the order asked; variants that do not exist are left out.
    async fn offers(&self, variants: &[VariantId]) -> Result<Vec<Arc<Offered>>, StoreError>;

    /// In the order asked; `None` for handles that no product has.
    async fn by_handles(&self, handles: Vec<Handle>) -> Result<Vec<Option<ProductId>>, StoreError>;
}
