//! What a basket costs: lines, shipping, tax. Pure, and free of carts and orders, so that it can
//! become a service of its own.
//!
//! # How amounts are computed and rounded
//!
//! 1. Amounts are whole minor units of one currency. There are no fractions in between.
//! 2. A line's amount is unit price × quantity. Shipping is a line of its own.
//! 3. Tax is computed **per line**, once, on the line's amount: `amount × rate` when prices are
//!    without tax, `amount × rate / (1 + rate)` when they include it.
//! 4. Each of these results is rounded to a whole minor unit, half up or half to even, as the
//!    settings say. Nothing is rounded twice: the tax of an order is the sum of its lines' taxes.
//! 5. `total = subtotal + shipping − discount`, plus the tax when prices are without it.
//!
//! # Which rate and which way of shipping
//!
//! The destination is the shipping address, else the billing address. Without one, or without a
//! rate for its country, there is no tax; a price that includes tax stays what it is everywhere.
//! Of the rates of a class, the one for the region wins over the one for the whole country; it is
//! the whole rate, not an addition. A zone that names the country wins over zones for everywhere.

pub mod rounding;
pub mod shipping;
pub mod tariff;
pub mod tax;
#[cfg(test)]
mod tests;

use kernel::{CountryCode, Currency, Money};
use serde::{Deserialize, Serialize};

use super::ids::{ShippingMethodId, TaxRateId};
use super::refusal::Refusal;
pub use rounding::Rounding;
pub use shipping::{ShippingChoice, ShippingOption};
pub use tariff::Tariff;

/// One line of a basket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goods {
    pub quantity: u32,
    pub price_minor: i64,
    pub weight_grams: i64,
    pub requires_shipping: bool,
    /// None is not taxed.
    pub tax_class: Option<String>,
}

/// As far as price depends on where goods go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub country: CountryCode,
    pub region: Option<String>,
}

/// What is to be priced.
#[derive(Clone, Debug)]
pub struct Basket<'a> {
    pub currency: Currency,
    pub goods: &'a [Goods],
    /// Where the goods are taxed.
    pub taxed_in: Option<Destination>,
    /// Where the goods are shipped.
    pub ships_to: Option<Destination>,
}

/// The tax of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTotal {
    /// Unit price × quantity.
    pub amount_minor: i64,
    pub tax_minor: i64,
    /// Parts per million; 0 when not taxed.
    pub rate_ppm: u32,
}

/// What one rate adds up to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxSum {
    pub rate_id: TaxRateId,
    pub name: String,
    pub rate_ppm: u32,
    pub tax_minor: i64,
}

/// A basket's sums. The rule of the module's documentation holds for every value of this type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub currency: Currency,
    /// One for each line of the basket, in its order.
    pub lines: Vec<LineTotal>,
    pub subtotal_minor: i64,
    pub discount_minor: i64,
    pub shipping_minor: i64,
    pub tax_minor: i64,
    /// True: `tax_minor` is contained in the other sums.
    pub tax_included: bool,
    pub total_minor: i64,
    pub taxes: Vec<TaxSum>,
    pub shipping: ShippingChoice,
}

impl Totals {
    pub const fn money(&self, amount_minor: i64) -> Money {
        Money::new(amount_minor, self.currency)
    }

    pub const fn total(&self) -> Money {
        self.money(self.total_minor)
    }
}

/// Prices `basket`, shipped by `chosen`; when nothing is chosen and only one method is possible, by
/// that one.
pub fn total(
    tariff: &Tariff,
    basket: &Basket<'_>,
    chosen: Option<ShippingMethodId>,
) -> Result<Totals, Refusal> {
    let mut taxes = tax::Taxes::new(tariff, basket.taxed_in.as_ref());
    let mut lines = Vec::with_capacity(basket.goods.len());
    let mut subtotal: i128 = 0;
    for goods in basket.goods {
        let amount = i128::from(goods.price_minor) * i128::from(goods.quantity);
        subtotal += amount;
        let (tax, rate_ppm) = taxes.add(goods.tax_class.as_deref(), amount)?;
        lines.push(LineTotal { amount_minor: within_limit(amount)?, tax_minor: tax, rate_ppm });
    }
    let subtotal_minor = within_limit(subtotal)?;
    let (shipping, shipping_minor) = shipping::choose(tariff, basket, subtotal_minor, chosen);
    taxes.add(tariff.settings.shipping_tax_class.as_deref(), i128::from(shipping_minor))?;
    let (tax_minor, taxes) = taxes.sums()?;
    let tax_included = tariff.settings.prices_include_tax;
    let added = if tax_included { 0 } else { i128::from(tax_minor) };
    let total_minor = within_limit(subtotal + i128::from(shipping_minor) + added)?;
    Ok(Totals {
        currency: basket.currency,
        lines,
        subtotal_minor,
        discount_minor: 0,
        shipping_minor,
        tax_minor,
        tax_included,
        total_minor,
        taxes,
        shipping,
    })
}

/// An amount that money may hold, and that is not negative.
pub(super) fn within_limit(amount: i128) -> Result<i64, Refusal> {
    i64::try_from(amount)
        .ok()
        .filter(|amount| (0..=Money::LIMIT).contains(amount))
        .ok_or(Refusal::SumTooLarge)
}
