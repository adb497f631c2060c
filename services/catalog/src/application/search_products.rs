//! Search over titles, SKUs, tags and descriptions, with facets.

use kernel::Currency;
use platform::store::Position;

use super::{Card, Catalog, Error};
use crate::ports::{Facets, Filter, Sort};

/// One page of a search.
#[derive(Debug)]
pub struct SearchPage {
    pub cards: Vec<Card>,
    /// Only on the first page.
    pub facets: Option<Facets>,
}

impl Catalog {
    pub async fn search_products(
        &self,
        query: &str,
        filter: &Filter,
        sort: Sort,
        currency: Currency,
        after: Option<Position>,
        limit: u32,
    ) -> Result<SearchPage, Error> {
        let found = self.listing.search(query, filter, sort, currency, after, limit).await?;
        let cards = self.cards(found.hits).await?;
        Ok(SearchPage { cards, facets: found.facets })
    }
}
