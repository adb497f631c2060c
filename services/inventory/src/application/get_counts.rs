//! What an export writes: the units at the default location, where an import puts them.

use super::apply_counts::Count;
use super::{Error, Inventory};
use crate::domain::{Imported, VariantId};

impl Inventory {
    /// Those of `variants` that inventory knows, in their order.
    pub async fn counts(&self, variants: &[VariantId]) -> Result<Vec<Count>, Error> {
        let homes = self.homes(variants).await?;
        let count = |home: &crate::domain::Stock| Count {
            variant: home.variant(),
            sku: home.sku.clone(),
            imported: Imported {
                on_hand: home.on_hand(),
                tracked: home.policy().tracked,
                backorder: home.policy().backorder,
            },
        };
        Ok(homes.iter().map(|home| count(home)).collect())
    }
}
