//! Reads carts, with prices.

use platform::Context;

use super::app::{App, Seen, SeenCart, customer};
use super::error::Error;
use crate::domain::{Access, Cart, CartId, Refusal, VariantId, quote};

impl App {
    pub async fn get_cart(
        &self,
        context: &Context,
        access: &Access,
        id: CartId,
    ) -> Result<SeenCart, Error> {
        let cart = self.read_cart(access, id).await?;
        self.look(context, cart).await
    }

    /// The open cart of the signed-in customer.
    pub async fn my_cart(&self, context: &Context) -> Result<SeenCart, Error> {
        let customer = customer(context).ok_or(Refusal::NotSignedIn)?;
        let row = self.executor.store().by::<Cart>("open_owner", customer.uuid()).await?;
        let row = row.ok_or(Refusal::CartNotFound)?;
        let cart = Seen { id: row.id.into(), version: row.version, state: row.state };
        self.look(context, cart).await
    }

    /// The cart, if the caller may know of it. One that has expired is gone, though its row may
    /// still wait to be deleted.
    pub(super) async fn read_cart(
        &self,
        access: &Access,
        id: CartId,
    ) -> Result<Seen<CartId, Cart>, Error> {
        let row = self.executor.store().get::<Cart>(id.uuid()).await?;
        let row = row.ok_or(Refusal::CartNotFound)?;
        row.state.visible(access)?;
        if row.state.expires_at <= self.env().now() {
            return Err(Refusal::CartNotFound.into());
        }
        Ok(Seen { id, version: row.version, state: row.state })
    }

    /// Prices the cart by one call to catalog; by none when it is empty.
    pub(super) async fn look(
        &self,
        context: &Context,
        seen: Seen<CartId, Cart>,
    ) -> Result<SeenCart, Error> {
        let cart = seen.state;
        let tariff = self.tariffs.current().await?;
        let variants: Vec<VariantId> = cart.lines.iter().map(|line| line.variant_id).collect();
        let quotes = if variants.is_empty() {
            quote::Quotes::default()
        } else {
            let locale = context.locales.first();
            self.prices.quote(context, &variants, cart.currency, locale).await?
        };
        let priced = quote::price(&cart, &quotes, &tariff)?;
        Ok(SeenCart { id: seen.id, version: seen.version, cart, quotes, priced, tariff })
    }
}
