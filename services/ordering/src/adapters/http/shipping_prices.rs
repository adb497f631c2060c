//! What a way of shipping costs in one currency.

use garde::Validate;
use kernel::{Currency, Money};
use platform::http::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::pricing::shipping::{ShippingCost, ShippingPrice, WeightStep};

/// Either `flat` or `by_weight`. All amounts are of `currency`.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewShippingPrice)]
pub(super) struct PriceBody {
    #[garde(skip)]
    currency: Currency,
    #[garde(skip)]
    #[serde(default)]
    flat: Option<Money>,
    /// Ascending. Heavier than the last cannot be shipped this way.
    #[garde(dive)]
    #[serde(default)]
    #[schema(min_items = 1, max_items = 50)]
    by_weight: Option<Vec<StepBody>>,
    /// From this subtotal on it costs nothing.
    #[garde(skip)]
    #[serde(default)]
    free_above: Option<Money>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewShippingWeightStep)]
pub(super) struct StepBody {
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    up_to_grams: i64,
    #[garde(skip)]
    price: Money,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ShippingPrice)]
pub(super) struct PriceView {
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    flat: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    by_weight: Option<Vec<StepView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    free_above: Option<Money>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ShippingWeightStep)]
struct StepView {
    up_to_grams: i64,
    price: Money,
}

pub(super) fn read_prices(prices: Vec<PriceBody>) -> Result<Vec<ShippingPrice>, Problem> {
    prices.into_iter().enumerate().map(|(index, price)| read(index, price)).collect()
}

fn read(index: usize, price: PriceBody) -> Result<ShippingPrice, Problem> {
    let currency = price.currency;
    let field = |name: &str| format!("prices[{index}].{name}");
    let amount = |name: &str, money: Money| {
        let fits =
            money.currency() == currency && (0..=Money::LIMIT).contains(&money.amount_minor());
        let text = format!("is an amount of {currency} that is not negative");
        if fits { Ok(money.amount_minor()) } else { Err(Problem::invalid_field(field(name), text)) }
    };
    let cost = match (price.flat, price.by_weight) {
        (Some(flat), None) => ShippingCost::Flat(amount("flat", flat)?),
        (None, Some(steps)) if (1..=50).contains(&steps.len()) => {
            let step = |(n, step): (usize, StepBody)| {
                let amount_minor = amount(&format!("by_weight[{n}].price"), step.price)?;
                Ok(WeightStep { up_to_grams: step.up_to_grams, amount_minor })
            };
            let steps: Result<_, Problem> = steps.into_iter().enumerate().map(step).collect();
            ShippingCost::ByWeight(steps?)
        }
        (None, Some(_)) => {
            return Err(Problem::invalid_field(field("by_weight"), "has 1 to 50 steps"));
        }
        _ => return Err(Problem::invalid_field(field("flat"), "or by_weight: give one of them")),
    };
    let free_above_minor = price.free_above.map(|free| amount("free_above", free)).transpose()?;
    Ok(ShippingPrice { currency, cost, free_above_minor })
}

pub(super) fn price_view(price: &ShippingPrice) -> PriceView {
    let money = |amount| Money::new(amount, price.currency);
    let (flat, by_weight) = match &price.cost {
        ShippingCost::Flat(amount) => (Some(money(*amount)), None),
        ShippingCost::ByWeight(steps) => {
            let step = |step: &WeightStep| StepView {
                up_to_grams: step.up_to_grams,
                price: money(step.amount_minor),
            };
            (None, Some(steps.iter().map(step).collect()))
        }
    };
    PriceView {
        currency: price.currency,
        flat,
        by_weight,
        free_above: price.free_above_minor.map(money),
    }
}
