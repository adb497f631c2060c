//! What somebody means to buy.

use kernel::{Address, Currency, Email, Quantity, Timestamp};
use serde::{Deserialize, Serialize};

use super::address::destination;
use super::checkout::RequestKey;
use super::ids::{CartId, CustomerId, OrderId, ShippingMethodId, VariantId};
use super::kept::KeptAnswers;
use super::pricing::Destination;
use super::refusal::Refusal;
use super::scope::{Access, SecretHash};

pub const MAX_LINES: usize = 100;

/// A variant and how many of it. A cart has at most one line of a variant, so the variant names the
/// line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    pub variant_id: VariantId,
    pub quantity: Quantity,
}

/// Where a cart is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartStatus {
    Open,
    /// It made an order. Should that be rejected, the cart opens again.
    Ordered(OrderId),
    /// Its lines went into another cart of the customer.
    Merged(CartId),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    pub secret_hash: SecretHash,
    pub owner: Option<CustomerId>,
    pub currency: Currency,
    pub lines: Vec<CartLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_method_id: Option<ShippingMethodId>,
    pub status: CartStatus,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// Kept answers that show whose cart it is.
    #[serde(default, skip_serializing_if = "KeptAnswers::is_empty")]
    pub kept: KeptAnswers,
}

/// What becomes of a field. Read from JSON, null clears; an absent field is kept by its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T> From<Option<T>> for Change<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::from)
    }
}

impl<T> Change<T> {
    /// The new value, if there is one.
    pub const fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }
}

/// A change of what is not a line.
#[derive(Clone, Debug, Default)]
pub struct Details {
    pub email: Change<Email>,
    pub shipping_address: Change<Address>,
    pub billing_address: Change<Address>,
    pub shipping_method_id: Change<ShippingMethodId>,
}

impl Cart {
    /// The cart, if the caller may know of it.
    pub fn visible(&self, access: &Access) -> Result<(), Refusal> {
        if access.reaches(self.owner, self.secret_hash) {
            Ok(())
        } else {
            Err(Refusal::CartNotFound)
        }
    }

    /// Refuses unless the cart may still be changed.
    pub fn open(&self) -> Result<(), Refusal> {
        match self.status {
            CartStatus::Open => Ok(()),
            CartStatus::Ordered(order) => Err(Refusal::CartOrdered(order)),
            CartStatus::Merged(_) => Err(Refusal::CartMerged),
        }
    }

    /// The customer whose one open cart this is.
    pub fn open_owner(&self) -> Option<CustomerId> {
        self.owner.filter(|_| self.status == CartStatus::Open)
    }

    /// Puts `quantity` more units of a variant into the cart.
    pub fn add(&mut self, variant: VariantId, quantity: Quantity) -> Result<(), Refusal> {
        if let Some(line) = self.lines.iter_mut().find(|line| line.variant_id == variant) {
            let too_many = || Refusal::TooManyUnits { field: "quantity".to_owned() };
            line.quantity = line.quantity.checked_add(quantity).ok_or_else(too_many)?;
            return Ok(());
        }
        if self.lines.len() >= MAX_LINES {
            return Err(Refusal::CartFull);
        }
        self.lines.push(CartLine { variant_id: variant, quantity });
        Ok(())
    }

    /// Makes the line of `variant` hold exactly `quantity`; it need not exist yet.
    pub fn set(&mut self, variant: VariantId, quantity: Quantity) -> Result<(), Refusal> {
        match self.lines.iter_mut().find(|line| line.variant_id == variant) {
            Some(line) => line.quantity = quantity,
            None => self.add(variant, quantity)?,
        }
        Ok(())
    }

    pub fn remove(&mut self, variant: VariantId) -> Result<(), Refusal> {
        let before = self.lines.len();
        self.lines.retain(|line| line.variant_id != variant);
        if self.lines.len() == before { Err(Refusal::LineNotFound(variant)) } else { Ok(()) }
    }

    pub fn change(&mut self, details: Details) {
        details.email.apply(&mut self.email);
        details.shipping_address.apply(&mut self.shipping_address);
        details.billing_address.apply(&mut self.billing_address);
        details.shipping_method_id.apply(&mut self.shipping_method_id);
    }

    /// Takes over the lines of a guest's cart. Quantities add up, at most to a line's limit; lines
    /// beyond a cart's limit stay behind. What this cart does not know yet (e-mail, addresses), it
    /// takes over as well; the guest's cart keeps nothing of a person, for nobody's account leads to
    /// it any more.
    pub fn absorb(&mut self, guest: &mut Self) {
        for line in &guest.lines {
            let room = self.lines.len() < MAX_LINES;
            match self.lines.iter_mut().find(|own| own.variant_id == line.variant_id) {
                Some(own) => {
                    let most = Quantity::new(Quantity::MAX).unwrap_or(own.quantity);
                    own.quantity = own.quantity.checked_add(line.quantity).unwrap_or(most);
                }
                None if room => self.lines.push(*line),
                None => {}
            }
        }
        let (email, shipping) = (guest.email.take(), guest.shipping_address.take());
        let billing = guest.billing_address.take();
        self.email = self.email.take().or(email);
        self.shipping_address = self.shipping_address.take().or(shipping);
        self.billing_address = self.billing_address.take().or(billing);
        self.kept.absorb(&mut guest.kept);
    }

    /// Notes that the kept answer of this request will show the cart. Answers of requests that come
    /// back are to be erased.
    #[must_use]
    pub fn keep(&mut self, request: RequestKey, now: Timestamp) -> Vec<RequestKey> {
        let personal = self.email.is_some()
            || self.shipping_address.is_some()
            || self.billing_address.is_some();
        if personal { self.kept.note(request, now) } else { Vec::new() }
    }

    /// Opens again after `order` was rejected, so that the buyer can try another card.
    pub fn reopen(&mut self, order: OrderId) {
        if self.status == CartStatus::Ordered(order) {
            self.status = CartStatus::Open;
        }
    }

    /// Where the goods are taxed: the shipping address, else the billing address.
    pub fn destination(&self) -> Option<Destination> {
        self.shipping_address.as_ref().or(self.billing_address.as_ref()).map(destination)
    }

    pub fn ships_to(&self) -> Option<Destination> {
        self.shipping_address.as_ref().map(destination)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::id::Uuid;
    use proptest::prelude::*;

    fn cart() -> Cart {
        Cart {
            secret_hash: SecretHash::new([1; 32]),
            owner: None,
            currency: Currency::EUR,
            lines: Vec::new(),
            email: None,
            shipping_address: None,
            billing_address: None,
            shipping_method_id: None,
            status: CartStatus::Open,
            created_at: Timestamp::EPOCH,
            expires_at: Timestamp::EPOCH,
            kept: KeptAnswers::default(),
        }
    }

    fn variant(n: u128) -> VariantId {
        VariantId::from_uuid(Uuid::from_u128(n))
    }

    fn units(n: u32) -> Quantity {
        Quantity::new(n).unwrap()
    }

    #[test]
    fn lines_and_units_have_limits() {
        let mut cart = cart();
        cart.add(variant(0), units(9_999)).unwrap();
        assert!(matches!(cart.add(variant(0), units(1)), Err(Refusal::TooManyUnits { .. })));
        for n in 1..100 {
            cart.add(variant(n), units(1)).unwrap();
        }
        assert_eq!(cart.add(variant(100), units(1)), Err(Refusal::CartFull));
        assert_eq!(cart.set(variant(0), units(3)), Ok(()));
        assert_eq!(cart.remove(variant(7)), Ok(()));
        assert_eq!(cart.remove(variant(7)), Err(Refusal::LineNotFound(variant(7))));
        assert_eq!(cart.add(variant(100), units(1)), Ok(()));
    }

    #[test]
    fn only_the_rejection_of_its_own_order_opens_a_cart_again() {
        let order = |n| OrderId::from_uuid(Uuid::from_u128(n));
        let mut cart = Cart { status: CartStatus::Ordered(order(1)), ..cart() };
        cart.reopen(order(2));
        assert_eq!(cart.open(), Err(Refusal::CartOrdered(order(1))));
        cart.reopen(order(1));
        assert_eq!(cart.open(), Ok(()));
    }

    proptest! {
        #[test]
        fn a_merged_cart_keeps_within_the_limits_and_loses_no_line_below_them(
            own in prop::collection::btree_map(0u128..150, 1u32..=9_999, 0..100),
            guest in prop::collection::btree_map(0u128..150, 1u32..=9_999, 0..100),
        ) {
            let filled = |lines: &std::collections::BTreeMap<u128, u32>| Cart {
                lines: lines
                    .iter()
                    .map(|(n, q)| CartLine { variant_id: variant(*n), quantity: units(*q) })
                    .collect(),
                ..cart()
            };
            let mut merged = filled(&own);
            merged.absorb(&mut filled(&guest));
            prop_assert!(merged.lines.len() <= MAX_LINES);
            for (n, quantity) in &own {
                let line = merged.lines.iter().find(|l| l.variant_id == variant(*n)).unwrap();
                let wanted = (quantity + guest.get(n).copied().unwrap_or(0)).min(9_999);
                prop_assert_eq!(line.quantity.get(), wanted);
            }
            let all = own.keys().chain(guest.keys()).collect::<std::collections::BTreeSet<_>>();
            prop_assert_eq!(merged.lines.len(), all.len().min(MAX_LINES));
        }
    }
}
