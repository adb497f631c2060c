//! One variant at one location: the row that every buyer of the variant meets.
//!
//! The rule of the house: `0 ≤ reserved`, and `reserved ≤ on_hand` unless the variant may be sold
//! below zero or is not counted. The only exception is written down in the row itself: `oversold`,
//! the units that a confirmed order took though they were not there. It shrinks by itself as goods
//! come in, and is never negative.

use kernel::Sku;
use serde::{Deserialize, Serialize};

use super::ids::{LocationId, VariantId};
use super::refusal::Refusal;

/// The most units one location holds of a variant, in either direction.
pub const MAX_UNITS: i64 = 1_000_000_000;

/// How a variant is sold. The same in all rows of a variant; the row at the default location, its
/// *home*, has the say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// False: units are not counted and it can always be sold.
    pub tracked: bool,
    /// True: it may be sold below zero.
    pub backorder: bool,
    /// Listed as low when this many or fewer units are free.
    pub low_stock_threshold: i64,
}

impl Policy {
    /// Of a variant about which nobody has said anything: counted, and not sellable until units
    /// come in.
    pub const UNKNOWN: Self = Self { tracked: true, backorder: false, low_stock_threshold: 0 };

    /// True when no unit may be promised that is not there.
    pub fn strict(self) -> bool {
        self.tracked && !self.backorder
    }
}

/// What the last import said of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    pub on_hand: i64,
    pub tracked: bool,
    pub backorder: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    variant: VariantId,
    location: LocationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    on_hand: i64,
    reserved: i64,
    #[serde(default, skip_serializing_if = "is_zero")]
    oversold: i64,
    policy: Policy,
    /// Only in the home row: the other locations that have a row of this variant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    places: Vec<LocationId>,
    /// Only in the home row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
    /// Whether it could be sold when the world was last told; none when it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<bool>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(units: &i64) -> bool {
    *units == 0
}

impl Stock {
    pub fn empty(variant: VariantId, location: LocationId, policy: Policy) -> Self {
        Self {
            variant,
            location,
            sku: None,
            on_hand: 0,
            reserved: 0,
            oversold: 0,
            policy,
            places: Vec::new(),
            imported: None,
            told: None,
        }
    }

    pub fn variant(&self) -> VariantId {
        self.variant
    }
    pub fn location(&self) -> LocationId {
        self.location
    }
    pub fn on_hand(&self) -> i64 {
        self.on_hand
    }
    pub fn reserved(&self) -> i64 {
        self.reserved
    }
    pub fn oversold(&self) -> i64 {
        self.oversold
    }
    pub fn policy(&self) -> Policy {
        self.policy
    }
    pub fn places(&self) -> &[LocationId] {
        &self.places
    }

    /// Units on hand that no order holds; below zero when more are promised than are there.
    pub fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }

    /// Units that can be reserved here without going below zero.
    pub fn free(&self) -> i64 {
        self.available().max(0)
    }

    pub fn is_low(&self) -> bool {
        self.policy.tracked && self.available() <= self.policy.low_stock_threshold
    }

    /// Can a unit be promised here?
    pub fn is_sellable(&self) -> bool {
        !self.policy.strict() || self.available() > 0
    }

    /// True when the world has to be told whether it can be sold, which is then taken as done.
    ///
    /// Nobody needs telling that a variant with one place can be sold: that is what is believed of
    /// variants of which inventory has said nothing. A variant with several tells of each.
    pub fn tell(&mut self) -> bool {
        let sellable = self.is_sellable();
        let alone = self.places.is_empty() && self.location == LocationId::DEFAULT;
        let news = match self.told {
            Some(told) => told != sellable,
            None => !(alone && sellable),
        };
        if news {
            self.told = Some(sellable);
        }
        news
    }

    /// Who listens may have forgotten what it was told.
    pub fn tell_again(&mut self) {
        if !self.is_sellable() {
            self.told = None;
        }
    }

    /// The rule at the head of this file.
    pub fn is_sound(&self) -> bool {
        self.reserved >= 0
            && self.oversold >= 0
            && (!self.policy.strict() || self.reserved <= self.on_hand + self.oversold)
    }

    /// Remembers in the home row that the variant has a row at `place`.
    pub fn add_place(&mut self, place: LocationId) {
        if place != self.location && !self.places.contains(&place) {
            self.places.push(place);
        }
    }

    /// Holds units for an order.
    pub fn reserve(&mut self, units: i64) -> Result<(), Refusal> {
        let wanted = self.reserved.saturating_add(units);
        if self.policy.strict() && units > self.available() {
            return Err(Refusal::NotEnough {
                variant: self.variant,
                wanted: units,
                available: self.free(),
            });
        }
        if wanted > MAX_UNITS {
            return Err(self.too_many());
        }
        self.reserved = wanted;
        Ok(())
    }

    /// Gives back what an order held.
    pub fn release(&mut self, units: i64) -> Result<(), Refusal> {
        self.held(units)?;
        self.reserved -= units;
        self.settle();
        Ok(())
    }

    /// What an order held is its own now and leaves the shelf.
    pub fn commit(&mut self, units: i64) -> Result<(), Refusal> {
        self.held(units)?;
        self.reserved -= units;
        self.on_hand -= units;
        self.settle();
        Ok(())
    }

    /// Nobody gives back more than is held.
    fn held(&self, units: i64) -> Result<(), Refusal> {
        if units > self.reserved {
            return Err(Refusal::Unbalanced {
                variant: self.variant,
                units,
                reserved: self.reserved,
            });
        }
        Ok(())
    }

    /// Units leave the shelf for a confirmed order that held none. Returns how many of them were
    /// not there; on a strict row those are written down as oversold.
    pub fn sell_unreserved(&mut self, units: i64) -> i64 {
        let missing = if self.policy.strict() { (units - self.free()).max(0) } else { 0 };
        self.on_hand -= units;
        self.oversold += missing;
        self.settle();
        missing
    }

    /// Sold units are back on the shelf. Nothing refuses them: they are there.
    pub fn put_back(&mut self, units: i64) {
        self.on_hand = self.on_hand.saturating_add(units);
        self.settle();
    }

    /// Units come in, or a person corrects the books. What is reserved stays covered.
    pub fn adjust(&mut self, delta: i64) -> Result<(), Refusal> {
        let on_hand = self.on_hand.saturating_add(delta);
        if delta < 0 && self.policy.strict() && on_hand < self.reserved {
            return Err(Refusal::BelowReserved {
                variant: self.variant,
                on_hand,
                reserved: self.reserved,
            });
        }
        if on_hand.abs() > MAX_UNITS {
            return Err(self.too_many());
        }
        self.on_hand = on_hand;
        self.settle();
        Ok(())
    }

    /// Takes units that are really there, and that no order holds, off the shelf.
    pub fn take_away(&mut self, units: i64) -> Result<(), Refusal> {
        if units > self.free() {
            return Err(Refusal::NotEnough {
                variant: self.variant,
                wanted: units,
                available: self.free(),
            });
        }
        self.on_hand -= units;
        self.settle();
        Ok(())
    }

    /// Sets the units on hand to an imported count, or as near to it as the units that orders
    /// already hold allow. Returns the change.
    pub fn count(&mut self, on_hand: i64) -> i64 {
        let before = self.on_hand;
        let mut wanted = on_hand.clamp(-MAX_UNITS, MAX_UNITS);
        if self.policy.strict() {
            wanted = wanted.max(self.reserved);
        }
        self.on_hand = wanted;
        self.settle();
        self.on_hand - before
    }

    /// Changes how the variant is sold, unless units are promised that strict counting forbids.
    pub fn set_policy(&mut self, policy: Policy) -> Result<(), Refusal> {
        let promised = self.reserved - self.on_hand - self.oversold;
        if policy.strict() && promised > 0 {
            return Err(Refusal::Promised { variant: self.variant, promised });
        }
        self.policy = policy;
        self.settle();
        Ok(())
    }

    /// Oversold is never more than what is missing, and means nothing where zero is no limit.
    fn settle(&mut self) {
        self.oversold = if self.policy.strict() {
            self.oversold.min((self.reserved - self.on_hand).max(0))
        } else {
            0
        };
    }

    fn too_many(&self) -> Refusal {
        Refusal::TooManyUnits { variant: self.variant }
    }
}
