//! The projections on PostgreSQL: filled by [`PostgresListingProjection`], read by
//! [`PostgresListing`]. Several replicas of the service may do both at once.
//!
//! What is found, in which order and how it is counted is decided by the same code as on the other
//! engines; only what the database is asked for stands here. A read is a handful of statements,
//! each with a limit, and is stopped when nobody waits for it any more.

mod labels;
mod list;
mod offers;
mod products;
mod projection;
mod search;
mod sellable;
mod tree;
mod vocabulary;
mod words;

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Currency, Handle};
use platform::store::postgres::sqlx::error::BoxDynError;
use platform::store::postgres::sqlx::postgres::{PgArguments, PgRow};
use platform::store::postgres::sqlx::{self, Arguments as _, Encode, Postgres, Type};
use platform::store::{Position, PostgresReader, StoreError};

use super::search::Search;
use crate::domain::offer::Offered;
use crate::domain::{CategoryId, ProductId, VariantId};
use crate::ports::{Children, Filter, Found, Hit, Listing, Sort};

pub use projection::PostgresListingProjection;

/// [`Listing`] on PostgreSQL.
pub struct PostgresListing {
    reader: PostgresReader,
}

impl PostgresListing {
    pub fn new(reader: PostgresReader) -> Self {
        Self { reader }
    }
}

#[async_trait]
impl Listing for PostgresListing {
    async fn products(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Vec<Hit>, StoreError> {
        list::products(&self.reader, filter, sort, after.as_ref(), limit).await
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
        let search = Search { filter, sort, currency, limit };
        search::run(&self.reader, &search, query, after.as_ref()).await
    }

    async fn categories_below(
        &self,
        parents: Vec<Option<CategoryId>>,
        after: Option<Position>,
        limit: usize,
        most: usize,
    ) -> Result<Vec<Children>, StoreError> {
        tree::below(&self.reader, &parents, after.as_ref(), limit, most).await
    }

    async fn count_categories(&self) -> Result<usize, StoreError> {
        tree::count(&self.reader).await
    }

    async fn offers(&self, variants: &[VariantId]) -> Result<Vec<Arc<Offered>>, StoreError> {
        list::offers(&self.reader, variants).await
    }

    async fn by_handles(&self, handles: Vec<Handle>) -> Result<Vec<Option<ProductId>>, StoreError> {
        list::by_handles(&self.reader, &handles).await
    }
}

/// The values of a statement's marks, in their order.
#[derive(Default)]
struct Marks {
    arguments: PgArguments,
    failure: Option<BoxDynError>,
}

impl Marks {
    fn with<'t, T: Encode<'t, Postgres> + Type<Postgres> + 't>(mut self, value: T) -> Self {
        if let Err(error) = self.arguments.add(value) {
            self.failure.get_or_insert(error);
        }
        self
    }
}

async fn fetch(
    reader: &PostgresReader,
    sql: &'static str,
    marks: Marks,
) -> Result<Vec<PgRow>, StoreError> {
    if let Some(error) = marks.failure {
        return Err(StoreError::Corrupt(format!("postgres: {error}")));
    }
    reader.rows(sql, marks.arguments).await
}

/// The one row of a statement that always has one, decoded.
fn only<T: Default>(
    rows: &[PgRow],
    decode: impl Fn(&PgRow) -> sqlx::Result<T>,
) -> Result<T, StoreError> {
    rows.first().map(decode).transpose().map(Option::unwrap_or_default).map_err(undecoded)
}

fn undecoded(error: sqlx::Error) -> StoreError {
    StoreError::Unavailable(format!("postgres: {error}"))
}

fn unreadable(what: &str, error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("{what} cannot be read: {error}"))
}
