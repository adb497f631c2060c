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

    /// What [`Offer::of`] is as JSON, without making one: an import writes it for every variant.
    pub fn write(
        product: &Product,
        variant: &Variant,
        into: &mut String,
    ) -> Result<(), serde_json::Error> {
        let mut bytes = std::mem::take(into).into_bytes();
        bytes.clear();
        let borrowed = Borrowed {
            product_title: &product.title,
            variant_title: variant.title(),
            sku: variant.sku.as_ref().map_or("", |sku| sku.as_str()),
            published: product.is_published(),
            prices: &variant.prices,
            weight_grams: variant.weight_grams,
            requires_shipping: variant.requires_shipping,
            tax_class: variant.tax_class.as_str(),
            image_url: product.picture_of(variant).map_or("", |media| media.url.as_str()),
        };
        serde_json::to_writer(&mut bytes, &borrowed)?;
        *into = String::from_utf8(bytes).expect("JSON is UTF-8");
        Ok(())
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

/// An [`Offer`] that owns nothing.
#[derive(Serialize)]
struct Borrowed<'a> {
    #[serde(rename = "t")]
    product_title: &'a LocalizedText,
    #[serde(rename = "v", skip_serializing_if = "String::is_empty")]
    variant_title: String,
    #[serde(rename = "s", skip_serializing_if = "str::is_empty")]
    sku: &'a str,
    #[serde(rename = "l")]
    published: bool,
    #[serde(rename = "p", skip_serializing_if = "<[Price]>::is_empty")]
    prices: &'a [Price],
    #[serde(rename = "w")]
    weight_grams: u32,
    #[serde(rename = "r")]
    requires_shipping: bool,
    #[serde(rename = "x")]
    tax_class: &'a str,
    #[serde(rename = "i", skip_serializing_if = "str::is_empty")]
    image_url: &'a str,
}

/// An offer with the ids it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    pub variant: VariantId,
    pub product: ProductId,
    pub offer: Offer,
}

#[cfg(test)]
mod tests {
    use kernel::{Timestamp, id::Uuid};

    use super::*;

    #[test]
    fn what_is_written_is_what_an_offer_is() {
        let mut product = Product::new("mug".parse().unwrap(), Timestamp::EPOCH);
        product.title = LocalizedText::of("en".parse().unwrap(), "Mug \"M\"");
        let mut text = String::from("left from before");
        for (sku, prices) in [(None, 0), (Some("M-1"), 2)] {
            let mut variant = Variant::new(VariantId::from_uuid(Uuid::from_u128(1)));
            variant.sku = sku.map(|sku| sku.parse().unwrap());
            variant.options = sku.map(str::to_owned).into_iter().collect();
            let price = Price { amount_minor: 5, currency: Currency::EUR, compare_at_minor: None };
            variant.prices = vec![price; prices];
            Offer::write(&product, &variant, &mut text).unwrap();
            let offer = Offer::of(&product, &variant);
            assert_eq!(text, serde_json::to_string(&offer).unwrap());
            assert_eq!(serde_json::from_str::<Offer>(&text).unwrap(), offer);
        }
    }
}
