//! Opens a cart, empty or with all that a checkout needs.

use kernel::{Currency, Quantity};
use platform::Context;

use super::app::{App, Keyed, Seen, SeenCart, customer};
use super::error::Error;
use crate::domain::cart::Details;
use crate::domain::kept::KeptAnswers;
use crate::domain::{Cart, CartStatus, Refusal, SecretHash, VariantId, address};

pub struct NewCart {
    /// Of the secret that the caller shows to the buyer.
    pub secret_hash: SecretHash,
    pub currency: Currency,
    pub lines: Vec<(VariantId, Quantity)>,
    pub details: Details,
}

impl App {
    /// A signed-in customer's cart is theirs; anybody else reaches it by its secret.
    pub async fn create_cart(
        &self,
        context: &Context,
        once: Option<Keyed<SeenCart>>,
        new: NewCart,
    ) -> Result<SeenCart, Error> {
        let now = self.env().now();
        let mut cart = Cart {
            secret_hash: new.secret_hash,
            owner: customer(context),
            currency: new.currency,
            lines: Vec::with_capacity(new.lines.len()),
            email: None,
            shipping_address: None,
            billing_address: None,
            shipping_method_id: None,
            status: CartStatus::Open,
            created_at: now,
            expires_at: now.plus(self.limits.cart_lifetime),
            kept: KeptAnswers::default(),
        };
        check(&new.details)?;
        cart.change(new.details);
        for (index, (variant, quantity)) in new.lines.into_iter().enumerate() {
            let name_line = |refusal| match refusal {
                Refusal::TooManyUnits { .. } => {
                    Refusal::TooManyUnits { field: format!("lines[{index}].quantity") }
                }
                other => other,
            };
            cart.add(variant, quantity).map_err(name_line)?;
        }
        let seen = Seen { id: self.env().id(), version: 0, state: cart };
        let seen = self.look(context, seen).await?;
        let lines = seen.cart.lines.iter().enumerate();
        let named = lines.map(|(n, line)| (format!("lines[{n}].variant_id"), line.variant_id));
        seen.quotes.require(named)?;
        self.put(context, once, seen, Vec::new()).await
    }
}

/// Refuses addresses that break a rule.
pub(super) fn check(details: &Details) -> Result<(), Refusal> {
    address::checked(details.shipping_address.set(), "shipping_address")?;
    address::checked(details.billing_address.set(), "billing_address")
}
