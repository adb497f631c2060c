//! Import of a product file of any length in bounded memory.
//!
//! A thread decodes and groups rows; a bounded channel hands over some hundred products at a time;
//! each is one command, all of a chunk wait for the executor together, which commits them in few
//! transactions. Stock goes to inventory after the commit of its products, while the next chunk is
//! being stored. What is in the file twice is stored once: an import can be repeated at any time.

mod apply;
mod cards;
mod categories;
mod decode;
mod import_product;

use std::io::Read;

use futures_util::future::join;
use platform::{Context, crash};

use super::error::SET_STOCK;
use super::{Catalog, Error};
use crate::domain::VariantId;
use crate::domain::export::StockLevel;
use crate::domain::import::{ImportOptions, Progress, Report};
use crate::ports::{Count, STOCK_BATCH};
pub use cards::Refuse;
use categories::Categories;
use decode::Message;

/// Imports product files; the API and the command line use the same one.
#[derive(Clone)]
pub struct Importer {
    catalog: Catalog,
    refuse: Refuse,
}

impl Importer {
    /// Cells that `refuse` refuses keep their product out.
    pub fn new(catalog: Catalog, refuse: Refuse) -> Self {
        Self { catalog, refuse }
    }

    /// Currency and locale of the shop, the format to be found out, nothing dry.
    pub fn options(&self) -> ImportOptions {
        let settings = &self.catalog.settings;
        ImportOptions {
            format: None,
            currency: settings.currency,
            locale: settings.locale.clone(),
            dry_run: false,
            stock: true,
        }
    }

    /// Reads `reader` to its end and stores what is good. `Err` when the file as a whole cannot be
    /// read, or when the store gives up; products stored until then stay stored. A file that speaks
    /// of stock is refused, before anything is stored, when who asks may not set stock.
    pub async fn import(
        &self,
        context: &Context,
        reader: impl Read + Send + 'static,
        options: ImportOptions,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<Report, Error> {
        let mut messages = decode::start(reader, options.clone(), self.refuse);
        let mut run = Run {
            catalog: &self.catalog,
            context,
            options: &options,
            categories: Categories::load(&self.catalog, options.dry_run).await?,
            report: Report::new("", options.dry_run, Vec::new()),
            progress: Progress::default(),
        };
        let mut waiting: Vec<Count> = Vec::new();
        while let Some(message) = messages.recv().await {
            match message {
                Message::Header { sets_stock: true, .. }
                    if options.stock && !context.principal.allows(SET_STOCK) =>
                {
                    return Err(Error::MayNotSetStock);
                }
                Message::Header { format, unknown, .. } => {
                    run.report.format = format.to_string();
                    run.report.unknown_columns = unknown;
                }
                Message::Chunk(chunk) => {
                    let counts = std::mem::take(&mut waiting);
                    let told = tell_stock(&self.catalog, context, counts);
                    let (stored, told) = join(run.store(chunk), told).await;
                    waiting = stored?;
                    run.note_stock(told);
                    progress(run.progress);
                }
                Message::Failed(error) => return Err(error.into()),
            }
        }
        let told = tell_stock(&self.catalog, context, waiting).await;
        run.note_stock(told);
        progress(run.progress);
        Ok(run.report)
    }
}

/// One import while it runs.
struct Run<'a> {
    catalog: &'a Catalog,
    context: &'a Context,
    options: &'a ImportOptions,
    categories: Categories,
    report: Report,
    progress: Progress,
}

/// What inventory made of some counts.
#[derive(Default)]
struct Told {
    changed: u64,
    unchanged: u64,
    failed: u64,
    error: Option<String>,
}

impl Run<'_> {
    fn note_stock(&mut self, told: Told) {
        let stock = &mut self.report.stock;
        stock.changed += told.changed;
        stock.unchanged += told.unchanged;
        stock.failed += told.failed;
        if let Some(error) = told.error {
            let error = crate::domain::import::RowError::new(0, None, "", error);
            self.report.add_errors([error]);
        }
    }
}

async fn tell_stock(catalog: &Catalog, context: &Context, mut counts: Vec<Count>) -> Told {
    let mut told = Told::default();
    while !counts.is_empty() {
        let rest = counts.split_off(STOCK_BATCH.min(counts.len()));
        let batch = std::mem::replace(&mut counts, rest);
        let size = batch.len() as u64;
        crash::point("catalog.counts.before");
        let answer = catalog.stock.apply(context, batch).await;
        crash::point("catalog.counts.after");
        match answer {
            Ok(changed) => {
                told.changed += u64::from(changed);
                told.unchanged += size.saturating_sub(u64::from(changed));
            }
            Err(error) => {
                told.failed += size;
                told.error = Some(format!("the stock of {size} variants was not taken: {error}"));
            }
        }
    }
    told
}

fn level(stock: crate::domain::import::StockPatch) -> StockLevel {
    StockLevel { on_hand: stock.on_hand, tracked: stock.tracked, backorder: stock.backorder }
}

fn count(variant: VariantId, sku: Option<&str>, stock: StockLevel) -> Count {
    Count { variant, sku: sku.unwrap_or_default().to_owned(), level: stock }
}
