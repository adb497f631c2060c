//! Changes a cart's lines, e-mail, addresses or way of shipping.

use kernel::Quantity;
use platform::Context;

use super::app::{App, Keyed, SeenCart};
use super::create_cart::check;
use super::error::Error;
use super::put_carts::TRIES;
use crate::domain::cart::Details;
use crate::domain::{Access, Cart, CartId, Refusal, VariantId};

#[derive(Clone, Debug)]
pub enum CartChange {
    Details(Box<Details>),
    /// So many more.
    AddLine(VariantId, Quantity),
    /// Exactly so many.
    SetLine(VariantId, Quantity),
    RemoveLine(VariantId),
}

impl App {
    /// Reads, changes, prices, writes; again from the start when somebody else was faster, unless
    /// the caller named the version it wants to change.
    pub async fn change_cart(
        &self,
        context: &Context,
        once: Option<Keyed<SeenCart>>,
        access: &Access,
        id: CartId,
        expected: Option<u64>,
        change: CartChange,
    ) -> Result<SeenCart, Error> {
        if let CartChange::Details(details) = &change {
            check(details)?;
        }
        for _ in 0..TRIES {
            let mut seen = self.read_cart(access, id).await?;
            if expected.is_some_and(|expected| expected != seen.version) {
                return Err(Refusal::CartChanged.into());
            }
            apply(&mut seen.state, &change)?;
            seen.state.expires_at = self.env().now().plus(self.limits.cart_lifetime);
            let seen = self.look(context, seen).await?;
            if let CartChange::AddLine(variant, _) | CartChange::SetLine(variant, _) = &change {
                seen.quotes.require([("variant_id".to_owned(), *variant)])?;
            }
            let again = once.as_ref().map(Keyed::again);
            match self.put(context, again, seen, Vec::new()).await {
                Err(Error::Moved) if expected.is_some() => return Err(Refusal::CartChanged.into()),
                Err(Error::Moved) => {}
                outcome => return outcome,
            }
        }
        Err(Error::Moved)
    }
}

fn apply(cart: &mut Cart, change: &CartChange) -> Result<(), Refusal> {
    cart.open()?;
    match change {
        CartChange::Details(details) => cart.change((**details).clone()),
        CartChange::AddLine(variant, quantity) => cart.add(*variant, *quantity)?,
        CartChange::SetLine(variant, quantity) => cart.set(*variant, *quantity)?,
        CartChange::RemoveLine(variant) => cart.remove(*variant)?,
    }
    Ok(())
}
