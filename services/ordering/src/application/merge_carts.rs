//! After signing in: what a guest put into a cart becomes the customer's.

use platform::Context;

use super::app::{App, Keyed, Seen, SeenCart, customer};
use super::error::Error;
use super::put_carts::TRIES;
use crate::domain::{Access, Cart, CartId, CartStatus, CustomerId, Refusal};

impl App {
    /// The guest's cart becomes the customer's open cart, or its lines go into the one that the
    /// customer already has. Asked again, it answers with the same cart.
    pub async fn merge_carts(
        &self,
        context: &Context,
        once: Option<Keyed<SeenCart>>,
        access: &Access,
        guest: CartId,
    ) -> Result<SeenCart, Error> {
        let customer = customer(context).ok_or(Refusal::NotSignedIn)?;
        for _ in 0..TRIES {
            let again = once.as_ref().map(Keyed::again);
            match self.merge_once(context, again, access, guest, customer).await {
                // Another cart of the customer was opened meanwhile: merge into that one.
                Err(Error::Moved | Error::Refusal(Refusal::OpenCartExists)) => {}
                outcome => return outcome,
            }
        }
        Err(Error::Moved)
    }

    async fn merge_once(
        &self,
        context: &Context,
        once: Option<Keyed<SeenCart>>,
        access: &Access,
        guest: CartId,
        customer: CustomerId,
    ) -> Result<SeenCart, Error> {
        let mut guest = self.read_cart(access, guest).await?;
        if guest.state.owner == Some(customer) {
            return self.look(context, guest).await;
        }
        if let CartStatus::Merged(into) = guest.state.status {
            let owner = Access { customer: Some(customer), secret: None };
            let merged = self.read_cart(&owner, into).await?;
            return self.look(context, merged).await;
        }
        guest.state.open()?;
        let expires_at = self.env().now().plus(self.limits.cart_lifetime);
        let own = self.executor.store().by::<Cart>("open_owner", customer.uuid()).await?;
        let Some(own) = own else {
            guest.state.owner = Some(customer);
            guest.state.expires_at = expires_at;
            let seen = self.look(context, guest).await?;
            return self.put(context, once, seen, Vec::new()).await;
        };
        let mut own = Seen { id: CartId::from(own.id), version: own.version, state: own.state };
        own.state.absorb(&mut guest.state);
        own.state.expires_at = expires_at;
        guest.state.status = CartStatus::Merged(own.id);
        guest.state.lines.clear();
        let seen = self.look(context, own).await?;
        self.put(context, once, seen, vec![guest]).await
    }
}
