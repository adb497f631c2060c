//! Fills the projections on PostgreSQL, in the transaction of the change.
//!
//! A batch sends so many statements as there are kinds of writes in it, whatever its size; only
//! batches with very many variants are written in several pieces.

use std::sync::Mutex;

use async_trait::async_trait;
use kernel::Locale;
use platform::store::postgres::sqlx::{self, PgConnection};
use platform::store::{Change, PostgresProjection};

use super::products::{self, Subject};
use super::sellable::{Levels, lock};
use super::tree::Nodes;
use super::vocabulary::{Known, learn};
use crate::domain::{Availability, Product};

/// Listing, prices, labels, search, offers and the category tree.
pub struct PostgresListingProjection {
    /// Titles are sorted in this locale.
    locale: Locale,
    known: Mutex<Known>,
}

impl PostgresListingProjection {
    pub fn new(locale: Locale) -> Self {
        Self { locale, known: Mutex::default() }
    }
}

/// Products with so many variants are written together, unless one alone has more.
const PIECE: usize = 4_096;

#[async_trait]
impl PostgresProjection for PostgresListingProjection {
    fn follows(&self, table: &str) -> bool {
        matches!(table, "product" | "availability" | "category")
    }

    async fn apply(&self, tx: &mut PgConnection, changes: &[Change<'_>]) -> sqlx::Result<()> {
        let mut levels = Levels::default();
        let mut nodes = Nodes::default();
        let mut subjects = Vec::new();
        for change in changes {
            match change.table {
                "product" => {
                    let product = change.state_of::<Product>();
                    let new = product.is_some() && change.version == 1;
                    subjects.push(Subject { id: change.id, product, new });
                }
                "availability" => {
                    if let Some(availability) = change.state_of::<Availability>() {
                        levels.add(change.id, availability);
                    }
                }
                "category" => nodes.add(change)?,
                _ => {}
            }
        }
        let told = levels.products(tx).await?;
        // What is new is known to nobody else.
        let known = subjects.iter().filter(|subject| !subject.new).map(|subject| subject.id);
        lock(tx, known.chain(told.iter().copied())).await?;
        levels.write(tx, told).await?;
        nodes.write(tx).await?;
        let mut words = Vec::new();
        for piece in pieces(&subjects) {
            words.extend(products::write(tx, piece, &self.locale).await?);
        }
        learn(tx, &self.known, &words).await
    }
}

fn pieces<'a, 'b>(subjects: &'a [Subject<'b>]) -> Vec<&'a [Subject<'b>]> {
    let mut pieces = Vec::new();
    let (mut start, mut variants) = (0, 0);
    for (at, subject) in subjects.iter().enumerate() {
        let more = subject.product.map_or(0, |product| product.variants.len());
        if variants + more > PIECE && at > start {
            pieces.push(&subjects[start..at]);
            (start, variants) = (at, 0);
        }
        variants += more;
    }
    if start < subjects.len() {
        pieces.push(&subjects[start..]);
    }
    pieces
}
