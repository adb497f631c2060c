//! The projections of published products and of all variants: filled in the transaction of each
//! change, read by [`Listing`]. One implementation on SQLite, one on PostgreSQL, one in memory for
//! simulation; what they must agree on stands here once, and the same tests run on all of them.

mod categories;
mod facets;
mod lists;
pub mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod row;
mod search;
mod sqlite_list;
mod sqlite_projection;
mod sqlite_search;
mod sqlite_words;

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Currency, Handle};
use platform::store::{Position, SqliteReader, Store, StoreError, UntilCommit};

use crate::domain::offer::Offered;
use crate::domain::{CategoryId, Product, ProductId, VariantId};
use crate::ports::{Children, Filter, Found, Hit, Listing, Sort};

pub use memory::MemoryListing;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresListing, PostgresListingProjection};
pub use sqlite_projection::SqliteListingProjection;

/// The listing of a store that a database stands under; `None` in memory.
pub fn over(store: &Store) -> Option<Arc<dyn Listing>> {
    #[cfg(feature = "postgres")]
    if let Some(reader) = store.postgres_reader() {
        return Some(Arc::new(PostgresListing::new(reader)));
    }
    let reader = store.sqlite_reader()?;
    Some(Arc::new(SqliteListing::new(store, reader)))
}

/// [`Listing`] on SQLite.
pub struct SqliteListing {
    reader: SqliteReader,
    offers: UntilCommit<VariantId, Arc<Offered>>,
}

/// How many variants' offers are kept at hand for carts.
const OFFERS: usize = 4096;

impl SqliteListing {
    pub fn new(store: &Store, reader: SqliteReader) -> Self {
        Self { reader, offers: UntilCommit::new(store.clone(), OFFERS) }
    }
}

#[async_trait]
impl Listing for SqliteListing {
    async fn products(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Vec<Hit>, StoreError> {
        let filter = filter.clone();
        self.reader
            .read(move |connection| {
                sqlite_list::products(connection, &filter, sort, after.as_ref(), limit)
            })
            .await
    }

    async fn search(
        &self,
        query: &str,
        filter: &Filter,
        sort: Sort,
        currency: Currency,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Found, StoreError> {
        let query = query.to_owned();
        let filter = filter.clone();
        self.reader
            .read(move |connection| {
                let search = search::Search { filter: &filter, sort, currency, limit };
                search.run(connection, &query, after.as_ref())
            })
            .await
    }

    async fn categories_below(
        &self,
        parents: Vec<Option<CategoryId>>,
        after: Option<Position>,
        limit: usize,
        most: usize,
    ) -> Result<Vec<Children>, StoreError> {
        self.reader
            .read(move |connection| {
                categories::below(connection, &parents, after.as_ref(), limit, most)
            })
            .await
    }

    async fn count_categories(&self) -> Result<usize, StoreError> {
        self.reader.read(categories::count).await
    }

    async fn offers(&self, variants: &[VariantId]) -> Result<Vec<Arc<Offered>>, StoreError> {
        let commits = self.offers.commits();
        let known: Vec<_> = variants.iter().map(|id| self.offers.get(commits, id)).collect();
        if let Some(offers) = known.iter().cloned().collect() {
            return Ok(offers);
        }
        // On the path of every cart and checkout: rows by key, and never behind a long search.
        let found = self.reader.read_now(|connection| sqlite_list::offers(connection, variants))?;
        let found: Vec<_> = found.into_iter().map(Arc::new).collect();
        for offer in &found {
            self.offers.keep(commits, offer.variant, offer.clone());
        }
        Ok(found)
    }

    async fn by_handles(&self, handles: Vec<Handle>) -> Result<Vec<Option<ProductId>>, StoreError> {
        self.reader.read(move |connection| sqlite_list::by_handles(connection, &handles)).await
    }
}

/// The product that has a handle, where no better query exists.
async fn product_by_handle(
    store: &Store,
    handle: &Handle,
) -> Result<Option<ProductId>, StoreError> {
    let found = store.by::<Product>("handle", handle.as_str()).await?;
    Ok(found.map(|product| ProductId::from_uuid(product.id)))
}
