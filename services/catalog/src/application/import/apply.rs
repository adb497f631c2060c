//! One chunk of products into the store.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use kernel::Handle;
use kernel::id::Uuid;
use platform::store::StoreError;

use super::decode::Chunk;
use super::import_product::{Effect, Failure, ImportProduct, Imported, effect};
use super::{Run, count, level};
use crate::application::Error;
use crate::domain::import::merge::merge;
use crate::domain::import::{Incoming, RowError};
use crate::domain::{CategoryId, Product, ProductId};
use crate::ports::Count;

/// How often a product is tried when somebody else takes its handle in between.
const TRIES: usize = 3;

impl Run<'_> {
    /// Stores a chunk and reports on it; answers the stock figures to be told.
    pub(super) async fn store(&mut self, chunk: Chunk) -> Result<Vec<Count>, Error> {
        let mut errors = chunk.errors;
        self.report.rows = self.report.rows.max(chunk.rows);
        self.report.products.failed += chunk.failed;
        let mut products = Vec::with_capacity(chunk.products.len());
        for mut incoming in chunk.products {
            let paths = incoming.product.as_ref().map_or(&[][..], |p| &p.categories);
            let categories = self.categories.resolve(self.catalog, self.context, paths).await?;
            let env = self.catalog.executor.env();
            incoming.assign_ids(|| env.uuid());
            products.push((Arc::new(incoming), categories));
        }
        let outcomes = if self.options.dry_run {
            self.rehearse(&products).await?
        } else {
            self.execute(&products).await?
        };
        let mut counts = Vec::new();
        for ((incoming, _), outcome) in products.iter().zip(outcomes) {
            match outcome {
                Ok(imported) => self.note(incoming, &imported, &mut counts),
                Err(rows) => {
                    self.report.products.failed += 1;
                    errors.extend(rows);
                }
            }
        }
        errors.sort_by_key(|error| error.line);
        self.report.add_errors(errors);
        self.report.add_warnings(chunk.warnings);
        self.report.categories_created = self.categories.created;
        let done = self.report.products;
        self.progress.bytes = self.progress.bytes.max(chunk.bytes);
        self.progress.rows = self.report.rows;
        self.progress.products = done.created + done.updated + done.unchanged + done.failed;
        self.progress.variants = self.report.variants;
        Ok(if self.options.dry_run { Vec::new() } else { counts })
    }

    fn note(&mut self, incoming: &Incoming, imported: &Imported, counts: &mut Vec<Count>) {
        match imported.effect {
            Effect::Created => self.report.products.created += 1,
            Effect::Updated => self.report.products.updated += 1,
            Effect::Unchanged => self.report.products.unchanged += 1,
        }
        for (patch, variant) in incoming.variants.iter().zip(&imported.variants) {
            let Some(variant) = variant else { continue };
            self.report.variants += 1;
            if let Some(stock) = patch.stock.filter(|_| self.options.stock) {
                self.report.stock.told += 1;
                let sku = patch.sku.as_ref().and_then(|s| s.as_ref()).map(kernel::Sku::as_str);
                counts.push(count(*variant, sku, level(stock)));
            }
        }
    }

    async fn ids(
        &self,
        products: &[(Arc<Incoming>, Vec<CategoryId>)],
    ) -> Result<Vec<Option<ProductId>>, Error> {
        let handles: Vec<Handle> = products.iter().map(|(p, _)| p.handle.clone()).collect();
        Ok(self.catalog.listing.by_handles(handles).await?)
    }

    async fn execute(
        &self,
        products: &[(Arc<Incoming>, Vec<CategoryId>)],
    ) -> Result<Vec<Result<Imported, Vec<RowError>>>, Error> {
        let ids = self.ids(products).await?;
        let commands = products.iter().zip(ids).map(|((incoming, categories), id)| {
            let env = self.catalog.executor.env();
            self.import_one(ImportProduct {
                id: id.unwrap_or_else(|| env.id()),
                incoming: incoming.clone(),
                categories: categories.clone(),
                locale: self.options.locale.clone(),
                tells_stock: self.options.stock,
                publish: self.catalog.publish,
            })
        });
        join_all(commands).await.into_iter().collect()
    }

    async fn import_one(
        &self,
        mut command: ImportProduct,
    ) -> Result<Result<Imported, Vec<RowError>>, Error> {
        for _ in 0..TRIES {
            match self.catalog.executor.execute(self.context, command.clone()).await {
                Ok(imported) => return Ok(Ok(imported)),
                Err(Failure::Rows(rows)) => return Ok(Err(rows)),
                Err(Failure::Store(StoreError::Unique { .. })) => {
                    let handles = vec![command.incoming.handle.clone()];
                    let found = self.catalog.listing.by_handles(handles).await?;
                    if let Some(Some(id)) = found.first() {
                        command.id = *id;
                    }
                }
                Err(Failure::Store(error)) => return Err(error.into()),
            }
        }
        let line = command.incoming.line;
        let handle = command.incoming.handle.as_str();
        let error = RowError::new(line, None, handle, "somebody else keeps changing this product");
        Ok(Err(vec![error]))
    }

    /// What would happen, without doing it.
    async fn rehearse(
        &self,
        products: &[(Arc<Incoming>, Vec<CategoryId>)],
    ) -> Result<Vec<Result<Imported, Vec<RowError>>>, Error> {
        let ids = self.ids(products).await?;
        let store = self.catalog.executor.store();
        let now = self.catalog.executor.env().now();
        let known: Vec<Uuid> = ids.iter().flatten().map(|id| id.uuid()).collect();
        let stored = store.get_many::<Product>(&known).await?;
        let stored: HashMap<Uuid, Product> = stored.into_iter().map(|p| (p.id, p.state)).collect();
        let outcomes = products.iter().zip(ids).map(|((incoming, categories), id)| {
            let old = id.and_then(|id| stored.get(&id.uuid()));
            let merged = merge(old, incoming, categories, &self.options.locale, now);
            merged.map(|merged| Imported {
                effect: effect(old, merged.changed),
                variants: merged.variants,
            })
        });
        Ok(outcomes.collect())
    }
}
