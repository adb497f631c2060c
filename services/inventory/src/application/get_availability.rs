//! What can be sold now.

use std::collections::HashMap;

use kernel::id::Uuid;
use platform::store::Versioned;

use super::reach::Reach;
use super::{Error, Inventory};
use crate::domain::{Stock, VariantId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Availability {
    pub variant: VariantId,
    /// Free units over all active locations.
    pub available: i64,
    pub backorder: bool,
    pub tracked: bool,
}

impl Inventory {
    /// One answer for each of `variants`, in their order. What inventory has never heard of is
    /// counted and has nothing.
    pub async fn availability(&self, variants: &[VariantId]) -> Result<Vec<Availability>, Error> {
        let homes = self.homes(variants).await?;
        let elsewhere = self.elsewhere(&homes).await?;
        let mut found: HashMap<VariantId, Availability> = HashMap::with_capacity(homes.len());
        for home in &homes {
            let policy = home.policy();
            let available = if policy.tracked { home.free() } else { 0 };
            let (variant, backorder, tracked) = (home.variant(), policy.backorder, policy.tracked);
            found.insert(variant, Availability { variant, available, backorder, tracked });
        }
        for row in &elsewhere {
            if let Some(entry) = found.get_mut(&row.variant()).filter(|entry| entry.tracked) {
                entry.available += row.free();
            }
        }
        let nothing =
            |variant| Availability { variant, available: 0, backorder: false, tracked: true };
        Ok(variants.iter().map(|v| found.get(v).copied().unwrap_or_else(|| nothing(*v))).collect())
    }

    /// The rows at other active locations.
    async fn elsewhere(&self, homes: &[Versioned<Stock>]) -> Result<Vec<Versioned<Stock>>, Error> {
        if homes.iter().all(|home| home.places().is_empty()) {
            return Ok(Vec::new());
        }
        let places = self.places(false).await?;
        let reach = Reach::of_homes(homes.iter().map(|home| home.variant()), homes, &places);
        let mut ids: Vec<Uuid> = Vec::new();
        for home in homes {
            let rows = reach.rows(home.variant()).iter();
            ids.extend(rows.filter(|row| row.active && row.id != home.id).map(|row| row.id));
        }
        Ok(self.store().get_many::<Stock>(&ids).await?)
    }
}
