//! Tax rates by country, region and class, and what they make of amounts.

use kernel::CountryCode;
use serde::{Deserialize, Serialize};

use super::{Destination, Rounding, Tariff, TaxSum, within_limit};
use crate::domain::ids::TaxRateId;
use crate::domain::refusal::Refusal;

/// One million parts make the whole: 19 % are 190,000.
pub const WHOLE_PPM: u32 = 1_000_000;

/// The rate of a class of goods in a country, or in one region of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRate {
    /// As it stands on the receipt, such as `VAT 19 %`.
    pub name: String,
    pub country: CountryCode,
    /// None: the whole country.
    pub region: Option<String>,
    pub tax_class: String,
    pub rate_ppm: u32,
}

impl TaxRate {
    /// Two rates with the same place would contradict each other.
    pub fn same_place(&self, other: &Self) -> bool {
        self.country == other.country
            && self.tax_class == other.tax_class
            && same_region(self.region.as_deref(), other.region.as_deref())
    }

    /// 2 when it is made for the destination's region, 1 for its whole country, 0 for elsewhere.
    fn fit(&self, class: &str, destination: &Destination) -> u8 {
        if self.country != destination.country || self.tax_class != class {
            return 0;
        }
        match &self.region {
            None => 1,
            Some(_) if same_region(self.region.as_deref(), destination.region.as_deref()) => 2,
            Some(_) => 0,
        }
    }
}

fn same_region(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.trim().eq_ignore_ascii_case(other.trim()),
        (None, None) => true,
        _ => false,
    }
}

/// Adds up the taxes of a basket's lines.
pub(super) struct Taxes<'a> {
    tariff: &'a Tariff,
    destination: Option<&'a Destination>,
    sums: Vec<(TaxRateId, &'a TaxRate, i128)>,
}

impl<'a> Taxes<'a> {
    pub fn new(tariff: &'a Tariff, destination: Option<&'a Destination>) -> Self {
        Self { tariff, destination, sums: Vec::new() }
    }

    /// The tax of one line and its rate.
    pub fn add(&mut self, class: Option<&str>, amount: i128) -> Result<(i64, u32), Refusal> {
        let Some((id, rate)) = class.and_then(|class| self.rate(class)) else {
            return Ok((0, 0));
        };
        let settings = &self.tariff.settings;
        let tax = of_amount(amount, rate.rate_ppm, settings.prices_include_tax, settings.rounding);
        match self.sums.iter_mut().find(|(known, ..)| *known == id) {
            Some((.., sum)) => *sum += tax,
            None => self.sums.push((id, rate, tax)),
        }
        Ok((within_limit(tax)?, rate.rate_ppm))
    }

    fn rate(&self, class: &str) -> Option<(TaxRateId, &'a TaxRate)> {
        let destination = self.destination?;
        self.tariff
            .tax_rates
            .iter()
            .map(|(id, kept)| (kept.value.fit(class, destination), *id, &kept.value))
            .filter(|(fit, ..)| *fit > 0)
            .max_by_key(|(fit, ..)| *fit)
            .map(|(_, id, rate)| (id, rate))
    }

    pub fn sums(self) -> Result<(i64, Vec<TaxSum>), Refusal> {
        let total: i128 = self.sums.iter().map(|(.., sum)| sum).sum();
        let taxes = self.sums.into_iter().map(|(rate_id, rate, sum)| {
            Ok(TaxSum {
                rate_id,
                name: rate.name.clone(),
                rate_ppm: rate.rate_ppm,
                tax_minor: within_limit(sum)?,
            })
        });
        Ok((within_limit(total)?, taxes.collect::<Result<_, Refusal>>()?))
    }
}

/// The tax on, or contained in, an amount that is not negative.
pub fn of_amount(amount: i128, rate_ppm: u32, included: bool, rounding: Rounding) -> i128 {
    let (rate, whole) = (i128::from(rate_ppm), i128::from(WHOLE_PPM));
    let base = if included { whole + rate } else { whole };
    rounding.divide(amount * rate, base)
}
