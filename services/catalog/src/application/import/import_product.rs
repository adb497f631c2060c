//! The command that stores one product of a file.

use std::collections::HashSet;

use kernel::{Locale, Timestamp};
use platform::executor::{Command, Keys, States};
use platform::store::StoreError;

use crate::application::Publish;
use crate::domain::events::{self, Event};
use crate::domain::import::merge::merge;
use crate::domain::import::{Incoming, RowError};
use crate::domain::{CategoryId, Product, ProductId, VariantId};

/// Merges what a file says into what is stored, inside the transaction: so nothing that staff
/// changes meanwhile is lost.
#[derive(Clone)]
pub(super) struct ImportProduct {
    pub id: ProductId,
    pub incoming: std::sync::Arc<Incoming>,
    pub categories: Vec<CategoryId>,
    pub locale: Locale,
    /// The import tells inventory what the file says of stock.
    pub tells_stock: bool,
    pub publish: Publish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Created,
    Updated,
    Unchanged,
}

/// What became of a product, and the variant that each of its rows ended in.
pub(super) struct Imported {
    pub effect: Effect,
    pub variants: Vec<Option<VariantId>>,
}

pub(super) enum Failure {
    Rows(Vec<RowError>),
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Command for ImportProduct {
    type Reply = Imported;
    type Error = Failure;

    fn keys(&self, keys: &mut Keys) {
        keys.add::<Product>(self.id.uuid());
    }

    fn decide(&self, states: &mut States<'_>, now: Timestamp) -> Result<Imported, Failure> {
        let id = self.id.uuid();
        let old = states.get::<Product>(id);
        let merged = merge(old, &self.incoming, &self.categories, &self.locale, now)
            .map_err(Failure::Rows)?;
        let effect = effect(old, merged.changed);
        if effect != Effect::Unchanged {
            let told = events::between(old, Some(&merged.product));
            states.put(id, merged.product);
            for mut event in told {
                if let Event::Published { variants, counts_follow } = &mut event {
                    *counts_follow = self.counts_all(variants, &merged.variants);
                }
                (self.publish)(states, self.id, &event);
            }
        }
        Ok(Imported { effect, variants: merged.variants })
    }
}

impl ImportProduct {
    /// Does the file say of each of `variants` how many there are? `rows` is the variant of each
    /// of its rows.
    fn counts_all(&self, variants: &[VariantId], rows: &[Option<VariantId>]) -> bool {
        let patches = self.incoming.variants.iter().zip(rows);
        let with_stock = patches.filter(|(patch, _)| patch.stock.is_some());
        let counted: HashSet<VariantId> = with_stock.filter_map(|(_, row)| *row).collect();
        self.tells_stock && variants.iter().all(|variant| counted.contains(variant))
    }
}

pub(super) fn effect(old: Option<&Product>, changed: bool) -> Effect {
    match old {
        None => Effect::Created,
        Some(_) if changed => Effect::Updated,
        Some(_) => Effect::Unchanged,
    }
}
