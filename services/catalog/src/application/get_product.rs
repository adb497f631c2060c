//! One product, as shoppers or as staff see it.

use std::collections::HashSet;

use platform::store::{Direction, Position, Query, Versioned};

use super::{Catalog, Error};
use crate::domain::{Availability, Category, Product, ProductId, Status, VariantId};

/// A product and what inventory said of its variants.
#[derive(Debug)]
pub struct Shown {
    pub product: Versioned<Product>,
    /// Variants that cannot be sold now.
    pub sold_out: HashSet<VariantId>,
}

impl Catalog {
    /// A published product by its id or its handle.
    pub async fn show_product(&self, name: &str) -> Result<Shown, Error> {
        let store = self.executor.store();
        let found = match name.parse::<ProductId>() {
            Ok(id) => store.get::<Product>(id.uuid()).await?,
            Err(_) => None,
        };
        let found = match found {
            Some(product) => Some(product),
            None => store.by::<Product>("handle", name).await?,
        };
        let product = found.filter(|p| p.is_published()).ok_or(Error::NoProduct)?;
        let variants: Vec<_> = product.variants.iter().map(|v| v.id.uuid()).collect();
        let known = store.get_many::<Availability>(&variants).await?;
        let sold_out = known.iter().filter(|a| !a.sellable());
        let sold_out = sold_out.map(|a| VariantId::from_uuid(a.id)).collect();
        Ok(Shown { product, sold_out })
    }

    /// A product in any status, without categories that were deleted since.
    pub async fn get_product(&self, id: ProductId) -> Result<Versioned<Product>, Error> {
        let store = self.executor.store();
        let mut product = store.get::<Product>(id.uuid()).await?.ok_or(Error::NoProduct)?;
        let ids: Vec<_> = product.categories.iter().map(|id| id.uuid()).collect();
        if !ids.is_empty() {
            let known = store.get_many::<Category>(&ids).await?;
            product.state.categories.retain(|id| known.iter().any(|c| c.id == id.uuid()));
        }
        Ok(product)
    }

    /// Products in any status by id, which is the order in which they were created.
    pub async fn list_all_products(
        &self,
        status: Option<Status>,
        handle: Option<&str>,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Vec<Versioned<Product>>, Error> {
        let mut query = Query::new(limit);
        if let Some(status) = status {
            query = query.eq("status", status.code());
        }
        if let Some(handle) = handle {
            query = query.eq("handle", handle);
        }
        if let Some(after) = after {
            query = query.after(after);
        }
        query.direction = Direction::Ascending;
        Ok(self.executor.store().list::<Product>(query).await?)
    }
}
