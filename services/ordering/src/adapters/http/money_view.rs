//! Sums as they are shown.

use kernel::{Currency, Money};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::order::Sums;
use crate::domain::pricing::{TaxSum, Totals};

/// What a cart or an order adds up to: `total = subtotal + shipping − discount`, plus `tax` when
/// it is not included in prices.
#[derive(Serialize, ToSchema)]
#[schema(as = CartTotals)]
pub(super) struct TotalsView {
    subtotal: Money,
    discount: Money,
    shipping: Money,
    tax: Money,
    /// True: the other sums contain the tax.
    tax_included: bool,
    total: Money,
    /// The tax by rate.
    taxes: Vec<TaxView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TaxAmount)]
pub(super) struct TaxView {
    #[schema(example = "VAT 19 %")]
    name: String,
    #[schema(example = "19")]
    rate_percent: String,
    tax: Money,
}

impl TotalsView {
    pub fn of_cart(totals: &Totals) -> Self {
        let money = |amount| totals.money(amount);
        Self {
            subtotal: money(totals.subtotal_minor),
            discount: money(totals.discount_minor),
            shipping: money(totals.shipping_minor),
            tax: money(totals.tax_minor),
            tax_included: totals.tax_included,
            total: totals.total(),
            taxes: taxes(&totals.taxes, totals.currency),
        }
    }

    pub fn of_order(sums: &Sums, currency: Currency) -> Self {
        let money = |amount| Money::new(amount, currency);
        Self {
            subtotal: money(sums.subtotal_minor),
            discount: money(sums.discount_minor),
            shipping: money(sums.shipping_minor),
            tax: money(sums.tax_minor),
            tax_included: sums.tax_included,
            total: money(sums.total_minor),
            taxes: taxes(&sums.taxes, currency),
        }
    }
}

fn taxes(taxes: &[TaxSum], currency: Currency) -> Vec<TaxView> {
    let view = |tax: &TaxSum| TaxView {
        name: tax.name.clone(),
        rate_percent: percent(tax.rate_ppm),
        tax: Money::new(tax.tax_minor, currency),
    };
    taxes.iter().map(view).collect()
}

/// 72,500 parts per million are `7.25`.
pub(super) fn percent(rate_ppm: u32) -> String {
    let text = format!("{}.{:04}", rate_ppm / 10_000, rate_ppm % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Reads what [`percent`] writes: 0 to 100 with at most four decimals.
pub(super) fn parse_percent(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() > 3 || fraction.len() > 4 {
        return None;
    }
    let rate_ppm =
        whole.parse::<u32>().ok()? * 10_000 + format!("{fraction:0<4}").parse::<u32>().ok()?;
    (rate_ppm <= 1_000_000).then_some(rate_ppm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_as_they_are_written() {
        for (text, ppm) in [
            ("0", 0),
            ("19", 190_000),
            ("7.25", 72_500),
            ("8.875", 88_750),
            ("100", 1_000_000),
            ("0.0001", 1),
        ] {
            assert_eq!(parse_percent(text), Some(ppm), "{text}");
            assert_eq!(percent(ppm), text);
        }
        for bad in ["", ".", "1.", ".5", "-1", "100.0001", "1e2", "1.00001", "0x1", "1000"] {
            assert_eq!(parse_percent(bad), None, "{bad}");
        }
    }
}
