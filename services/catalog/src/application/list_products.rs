//! The published products, page by page.

use std::collections::HashMap;

use kernel::id::Uuid;
use platform::store::{Position, Versioned};

use super::{Catalog, Error};
use crate::domain::Product;
use crate::ports::{Filter, Hit, Sort};

/// A product as it stands in a list.
#[derive(Debug)]
pub struct Card {
    pub product: Versioned<Product>,
    pub available: bool,
    pub position: Position,
}

impl Catalog {
    pub async fn list_products(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Vec<Card>, Error> {
        let hits = self.listing.products(filter, sort, after, limit).await?;
        self.cards(hits).await
    }

    /// The products behind hits, in their order. One that vanished meanwhile is left out.
    pub(super) async fn cards(&self, hits: Vec<Hit>) -> Result<Vec<Card>, Error> {
        let ids: Vec<Uuid> = hits.iter().map(|hit| hit.product.uuid()).collect();
        let products = self.executor.store().get_many::<Product>(&ids).await?;
        let mut products: HashMap<Uuid, Versioned<Product>> =
            products.into_iter().map(|p| (p.id, p)).collect();
        let cards = hits.into_iter().filter_map(|hit| {
            let product = products.remove(&hit.product.uuid())?;
            Some(Card { product, available: hit.available, position: hit.position })
        });
        Ok(cards.collect())
    }
}
