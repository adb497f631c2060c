//! Create a product, or replace all of it.

use std::collections::BTreeMap;

use kernel::{Handle, LocalizedText, Timestamp};
use platform::Context;
use platform::executor::{Command, Keys, States};
use platform::idempotency::Idempotent;
use platform::store::Versioned;

use super::{Catalog, Error, Publish};
use crate::domain::events;
use crate::domain::{
    Category, CategoryId, Media, Product, ProductId, ProductOption, Seo, Status, Variant,
};

/// All that staff may say of a product. Ids of variants and media are given: kept or fresh.
#[derive(Clone, Debug)]
pub struct ProductDraft {
    pub handle: Handle,
    pub status: Status,
    pub title: LocalizedText,
    pub description: LocalizedText,
    pub vendor: Option<String>,
    pub product_type: Option<String>,
    pub tags: Vec<String>,
    pub categories: Vec<CategoryId>,
    pub options: Vec<ProductOption>,
    pub variants: Vec<Variant>,
    pub media: Vec<Media>,
    pub seo: Seo,
    pub attributes: BTreeMap<String, String>,
}

impl ProductDraft {
    fn into_product(self, now: Timestamp) -> Product {
        let mut product = Product::new(self.handle, now);
        product.title = self.title;
        product.description = self.description;
        product.vendor = self.vendor;
        product.product_type = self.product_type;
        product.tags = self.tags;
        product.categories = self.categories;
        product.options = self.options;
        product.variants = self.variants;
        product.media = self.media;
        product.seo = self.seo;
        product.attributes = self.attributes;
        product.set_status(self.status, now);
        product.tidy();
        product
    }
}

impl Catalog {
    /// Creates a product; the handle must be free.
    pub async fn create_product(
        &self,
        context: &Context,
        once: Option<Idempotent<Versioned<Product>>>,
        id: ProductId,
        draft: ProductDraft,
    ) -> Result<Versioned<Product>, Error> {
        let product = self.checked(draft).await?;
        let command = SaveProduct { id, expected: None, product, publish: self.publish };
        self.executor.execute_once(context, once, command).await
    }

    /// Replaces all of a product. Saying what it already says changes nothing.
    pub async fn replace_product(
        &self,
        context: &Context,
        once: Option<Idempotent<Versioned<Product>>>,
        id: ProductId,
        expected: u64,
        draft: ProductDraft,
    ) -> Result<Versioned<Product>, Error> {
        let product = self.checked(draft).await?;
        let command = SaveProduct { id, expected: Some(expected), product, publish: self.publish };
        self.executor.execute_once(context, once, command).await
    }

    async fn checked(&self, draft: ProductDraft) -> Result<Product, Error> {
        let product = draft.into_product(self.executor.env().now());
        product.check().map_err(Error::Invalid)?;
        let ids: Vec<_> = product.categories.iter().map(|id| id.uuid()).collect();
        let known = self.executor.store().get_many::<Category>(&ids).await?;
        for (index, id) in ids.iter().enumerate() {
            if !known.iter().any(|category| category.id == *id) {
                let field = format!("categories[{index}]");
                return Err(Error::field(&field, "there is no such category"));
            }
        }
        Ok(product)
    }
}

struct SaveProduct {
    id: ProductId,
    /// `None` creates.
    expected: Option<u64>,
    product: Product,
    publish: Publish,
}

impl Command for SaveProduct {
    type Reply = Versioned<Product>;
    type Error = Error;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Product>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Self::Reply, Error> {
        let id = self.id.uuid();
        let version = states.version::<Product>(id);
        let old = states.get::<Product>(id).cloned();
        let mut product = self.product.clone();
        match (self.expected, &old) {
            (None, None) => {}
            (None, Some(_)) => return Err(Error::Changed),
            (Some(_), None) => return Err(Error::NoProduct),
            (Some(expected), Some(_)) if expected != version => return Err(Error::Changed),
            (Some(_), Some(old)) => {
                product.created_at = old.created_at;
                product.published_at = old.published_at;
                product.set_status(product.status, now);
                product.updated_at = now;
                if old.same_content(&product) {
                    return Ok(Versioned { id, version, state: old.clone() });
                }
            }
        }
        states.put(id, product.clone());
        for event in events::between(old.as_ref(), Some(&product)) {
            (self.publish)(states, self.id, &event);
        }
        Ok(Versioned { id, version: states.version::<Product>(id), state: product })
    }
}
