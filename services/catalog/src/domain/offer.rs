//! What a cart needs to know of one variant: the few facts that a quote is made of.

use kernel::{Currency, Locale, LocalizedText};
use serde::{Deserialize, Serialize};

use super::product::{Product, ProductId};
use super::variant::{Price, Variant, VariantId};

/// A variant as it is offered. Kept beside the product, so that a quote reads nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    #[serde(rename = "t")]
    pub product_title: LocalizedText,
    #[serde(default, rename = "v", skip_serializing_if = "String::is_empty")]
    pub variant_title: String,
    #[serde(default, rename = "s", skip_serializing_if = "String::is_empty")]
    pub sku: String,
    #[serde(rename = "l")]
    pub published: bool,
    #[serde(default, rename = "p", skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<Price>,
    #[serde(rename = "w")]
    pub weight_grams: u32,
    #[serde(rename = "r")]
    pub requires_shipping: bool,
    #[serde(rename = "x")]
    pub tax_class: String,
    #[serde(default, rename = "i", skip_serializing_if = "String::is_empty")]
    pub image_url: String,
}

impl Offer {
    pub fn of(product: &Product, variant: &Variant) -> Self {
        Self {
            product_title: product.title.clone(),
            variant_title: variant.title(),
            sku: variant.sku.as_ref().map_or_else(String::new, |sku| sku.as_str().to_owned()),
            published: product.is_published(),
            prices: variant.prices.clone(),
            weight_grams: variant.weight_grams,
            requires_shipping: variant.requires_shipping,
            tax_class: variant.tax_class.as_str().to_owned(),
            image_url: product.picture_of(variant).map_or_else(String::new, |m| m.url.clone()),
        }
    }

    /// The price in `currency`, if the variant is for sale in it.
    pub fn price(&self, currency: Currency) -> Option<i64> {
        let price = self.prices.iter().find(|p| p.currency == currency);
        price.filter(|_| self.published).map(|p| p.amount_minor)
    }

    pub fn title(&self, wanted: &[Locale], fallback: &Locale) -> &str {
        self.product_title.choose(wanted, fallback)
    }
}

/// An offer with the ids it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    pub variant: VariantId,
    pub product: ProductId,
    pub offer: Offer,
}
