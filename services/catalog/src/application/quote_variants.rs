//! Prices and facts of variants, for carts.

use std::sync::Arc;

use super::{Catalog, Error};
use crate::domain::VariantId;
use crate::domain::offer::Offered;

/// No call asks for more variants.
pub const MAX_QUOTED: usize = 200;

impl Catalog {
    /// In the order asked; variants that do not exist are left out.
    pub async fn quote_variants(&self, variants: &[VariantId]) -> Result<Vec<Arc<Offered>>, Error> {
        if variants.len() > MAX_QUOTED {
            let message = format!("holds at most {MAX_QUOTED} ids");
            return Err(Error::field("variant_ids", message));
        }
        Ok(self.listing.offers(variants).await?)
    }
}
