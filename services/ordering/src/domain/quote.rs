//! What catalog says about variants, and what a cart is worth by it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::cart::Cart;
use super::ids::{ProductId, VariantId};
use super::pricing::{self, Goods, Tariff, Totals};
use super::refusal::Refusal;

/// The facts of one variant at one moment, in the currency that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantQuote {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub sku: Option<String>,
    pub product_title: String,
    /// `Red / L`; none for a product without options.
    pub variant_title: Option<String>,
    /// False for drafts, archived products and variants without a price in the currency.
    pub purchasable: bool,
    pub price_minor: i64,
    pub weight_grams: i64,
    pub requires_shipping: bool,
    pub tax_class: Option<String>,
    pub image_url: Option<String>,
}

/// Quotes by variant.
#[derive(Clone, Debug, Default)]
pub struct Quotes(HashMap<VariantId, VariantQuote>);

impl Quotes {
    pub fn new(quotes: impl IntoIterator<Item = VariantQuote>) -> Self {
        Self(quotes.into_iter().map(|quote| (quote.variant_id, quote)).collect())
    }

    pub fn get(&self, variant: VariantId) -> Option<&VariantQuote> {
        self.0.get(&variant)
    }

    /// The quote, if the variant can be bought now.
    pub fn purchasable(&self, variant: VariantId) -> Option<&VariantQuote> {
        self.get(variant).filter(|quote| quote.purchasable)
    }

    /// Refuses variants that cannot be bought, naming the field that holds each.
    pub fn require(
        &self,
        variants: impl IntoIterator<Item = (String, VariantId)>,
    ) -> Result<(), Refusal> {
        let missing: Vec<_> = variants
            .into_iter()
            .filter(|(_, variant)| self.purchasable(*variant).is_none())
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(Refusal::NotPurchasable(missing)) }
    }
}

/// A cart with its prices: what a buyer sees, and what an order is made of.
#[derive(Clone, Debug)]
pub struct PricedCart {
    /// One for each line that can be bought, in the order of the cart.
    pub goods: Vec<(VariantId, Goods)>,
    pub requires_shipping: bool,
    pub totals: Totals,
}

/// Prices `cart`. Lines that cannot be bought now count nothing; completing refuses them.
pub fn price(cart: &Cart, quotes: &Quotes, tariff: &Tariff) -> Result<PricedCart, Refusal> {
    let goods: Vec<(VariantId, Goods)> = cart
        .lines
        .iter()
        .filter_map(|line| {
            let quote = quotes.purchasable(line.variant_id)?;
            Some((line.variant_id, goods(quote, line.quantity.get())))
        })
        .collect();
    let requires_shipping = goods.iter().any(|(_, goods)| goods.requires_shipping);
    let sold: Vec<Goods> = goods.iter().map(|(_, goods)| goods.clone()).collect();
    let basket = pricing::Basket {
        currency: cart.currency,
        goods: &sold,
        taxed_in: cart.destination(),
        ships_to: cart.ships_to(),
    };
    let totals = pricing::total(tariff, &basket, cart.shipping_method_id)?;
    Ok(PricedCart { goods, requires_shipping, totals })
}

fn goods(quote: &VariantQuote, quantity: u32) -> Goods {
    Goods {
        quantity,
        price_minor: quote.price_minor,
        weight_grams: quote.weight_grams,
        requires_shipping: quote.requires_shipping,
        tax_class: quote.tax_class.clone(),
    }
}
