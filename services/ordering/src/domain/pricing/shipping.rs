//! Which ways of shipping a basket has, and what each costs.

use kernel::{CountryCode, Currency, LocalizedText};
use serde::{Deserialize, Serialize};

use super::{Basket, Tariff};
use crate::domain::ids::{ShippingMethodId, ShippingZoneId};

/// A part of the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingZone {
    pub name: String,
    /// Empty: every country that no other zone names.
    pub countries: Vec<CountryCode>,
}

/// A way of shipping within a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingMethod {
    pub zone_id: ShippingZoneId,
    pub name: LocalizedText,
    pub active: bool,
    /// One for each currency; a basket in another currency cannot be shipped this way.
    pub prices: Vec<ShippingPrice>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingPrice {
    pub currency: Currency,
    pub cost: ShippingCost,
    /// From this subtotal on it costs nothing.
    pub free_above_minor: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShippingCost {
    Flat(i64),
    /// Ascending; heavier than the last cannot be shipped this way.
    ByWeight(Vec<WeightStep>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightStep {
    pub up_to_grams: i64,
    pub amount_minor: i64,
}

/// A method that a basket may be shipped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingOption<'a> {
    pub id: ShippingMethodId,
    pub method: &'a ShippingMethod,
    pub amount_minor: i64,
}

/// How a basket is shipped, or why that is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShippingChoice {
    /// Nothing in the basket is shipped.
    NotNeeded,
    AddressMissing,
    /// No method serves the address, the currency and the weight.
    NothingShips,
    /// Several methods are possible and none is chosen.
    Undecided,
    /// The chosen one is not possible.
    Unavailable,
    By(ShippingMethodId),
}

impl ShippingPrice {
    fn of(&self, subtotal_minor: i64, weight_grams: i128) -> Option<i64> {
        let amount = match &self.cost {
            ShippingCost::Flat(amount) => *amount,
            ShippingCost::ByWeight(steps) => {
                steps.iter().find(|step| weight_grams <= i128::from(step.up_to_grams))?.amount_minor
            }
        };
        let free = self.free_above_minor.is_some_and(|least| subtotal_minor >= least);
        Some(if free { 0 } else { amount })
    }
}

/// Every method that `basket` may be shipped by, in the order they were made. Empty without an
/// address, or when nothing is shipped.
pub fn options<'a>(
    tariff: &'a Tariff,
    basket: &Basket<'_>,
    subtotal_minor: i64,
) -> Vec<ShippingOption<'a>> {
    let Some(destination) = &basket.ships_to else {
        return Vec::new();
    };
    let weight_grams = basket
        .goods
        .iter()
        .filter(|goods| goods.requires_shipping)
        .map(|goods| i128::from(goods.weight_grams.max(0)) * i128::from(goods.quantity))
        .sum();
    let zones = tariff.zones_for(destination.country);
    tariff
        .shipping_methods
        .iter()
        .map(|(id, kept)| (*id, &kept.value))
        .filter(|(_, method)| method.active && zones.contains(&method.zone_id))
        .filter_map(|(id, method)| {
            let price = method.prices.iter().find(|price| price.currency == basket.currency)?;
            let amount_minor = price.of(subtotal_minor, weight_grams)?;
            Some(ShippingOption { id, method, amount_minor })
        })
        .collect()
}

pub(super) fn choose(
    tariff: &Tariff,
    basket: &Basket<'_>,
    subtotal_minor: i64,
    chosen: Option<ShippingMethodId>,
) -> (ShippingChoice, i64) {
    if !basket.goods.iter().any(|goods| goods.requires_shipping) {
        return (ShippingChoice::NotNeeded, 0);
    }
    if basket.ships_to.is_none() {
        return (ShippingChoice::AddressMissing, 0);
    }
    let options = options(tariff, basket, subtotal_minor);
    let by = |option: &ShippingOption<'_>| (ShippingChoice::By(option.id), option.amount_minor);
    match (options.as_slice(), chosen) {
        ([], _) => (ShippingChoice::NothingShips, 0),
        (options, Some(chosen)) => options
            .iter()
            .find(|option| option.id == chosen)
            .map_or((ShippingChoice::Unavailable, 0), by),
        ([only], None) => by(only),
        (_, None) => (ShippingChoice::Undecided, 0),
    }
}
