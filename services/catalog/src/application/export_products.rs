//! Export of all products as a Shopify file, piece by piece.
//!
//! All products are read twice: once to learn which columns the file needs, once to write them.
//! A product that gets an attribute nobody had before in between is written without it.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::stream::{Stream, try_unfold};
use platform::Context;
use platform::store::{Position, Query, Value, Versioned};

use super::error::SEE_STOCK;
use super::{Catalog, Error};
use crate::domain::category::Tree;
use crate::domain::export::{Plan, StockLevel, rows};
use crate::domain::{Product, VariantId};
use crate::ports::STOCK_BATCH;

/// How many products are read at a time.
const PAGE: u32 = 100;

struct Export {
    catalog: Catalog,
    context: Context,
    with_stock: bool,
    plan: Plan,
    categories: Tree,
    after: Option<Position>,
    stage: Stage,
}

#[derive(PartialEq)]
enum Stage {
    Header,
    Rows,
    End,
}

impl Catalog {
    /// The file in UTF-8, with a header line. Importing it again changes nothing. Stock cells are
    /// empty unless `stock` is wanted, which needs a permission of inventory.
    pub async fn export_products(
        &self,
        context: Context,
        stock: bool,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        if stock && !context.principal.allows(SEE_STOCK) {
            return Err(Error::MayNotSeeStock);
        }
        let settings = &self.settings;
        let mut plan = Plan::new(settings.currency, settings.locale.clone());
        let mut after = None;
        loop {
            let (page, next) = self.page(after).await?;
            for product in &page {
                plan.observe(product);
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        let export = Export {
            catalog: self.clone(),
            context,
            with_stock: stock,
            plan,
            categories: self.category_tree().await?,
            after: None,
            stage: Stage::Header,
        };
        Ok(try_unfold(export, Export::next))
    }

    async fn page(
        &self,
        after: Option<Position>,
    ) -> Result<(Vec<Versioned<Product>>, Option<Position>), Error> {
        let mut query = Query::new(PAGE);
        query.after = after;
        let page = self.executor.store().list::<Product>(query).await?;
        let last = page.last().filter(|_| page.len() == PAGE as usize);
        let next = last.map(|p| Position { value: Value::Null, id: p.id });
        Ok((page, next))
    }
}

impl Export {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        match self.stage {
            Stage::End => return Ok(None),
            Stage::Header => {
                write(&mut writer, &self.plan.header())?;
                self.stage = Stage::Rows;
            }
            Stage::Rows => {
                let (page, next) = self.catalog.page(self.after.take()).await?;
                let stock = self.stock(&page).await?;
                for product in &page {
                    for row in rows(&self.plan, product, &stock, &self.categories) {
                        write(&mut writer, &row)?;
                    }
                }
                self.stage = if next.is_some() { Stage::Rows } else { Stage::End };
                self.after = next;
            }
        }
        let bytes = writer.into_inner().map_err(|error| file_error(error.into_error()))?;
        Ok(Some((Bytes::from(bytes), self)))
    }

    async fn stock(
        &self,
        page: &[Versioned<Product>],
    ) -> Result<HashMap<VariantId, StockLevel>, Error> {
        if !self.with_stock {
            return Ok(HashMap::new());
        }
        let variants: Vec<VariantId> = page.iter().flat_map(|p| p.variant_ids()).collect();
        let mut stock = HashMap::with_capacity(variants.len());
        for batch in variants.chunks(STOCK_BATCH) {
            stock.extend(self.catalog.stock.levels(&self.context, batch.to_vec()).await?);
        }
        Ok(stock)
    }
}

fn write(writer: &mut csv::Writer<Vec<u8>>, row: &[String]) -> Result<(), Error> {
    writer.write_record(row).map_err(|error| file_error(error.into()))
}

fn file_error(error: std::io::Error) -> Error {
    Error::File(crate::domain::import::rows::FileError::Io(error))
}
