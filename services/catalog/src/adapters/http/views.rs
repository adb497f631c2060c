//! What shoppers see: texts in one language, nothing that is the shop's own business.

use std::collections::{BTreeMap, HashSet};

use kernel::{Currency, Handle, Locale, LocalizedText, Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::application::Card;
use crate::domain::category::Tree;
use crate::domain::{
    Category, CategoryId, Media, MediaId, Price, Product, ProductId, Variant, VariantId,
};

/// Which languages a reader understands, and the shop's own.
pub struct Reader<'a> {
    pub wanted: &'a [Locale],
    pub own: &'a Locale,
}

impl Reader<'_> {
    pub fn text(&self, text: &LocalizedText) -> String {
        text.choose(self.wanted, self.own).to_owned()
    }
}

/// A product in a list.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ProductCard {
    pub id: ProductId,
    pub handle: Handle,
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vendor: Option<String>,
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub image: Option<MediaView>,
    /// The lowest and highest price of the variants, one range a currency.
    pub prices: Vec<PriceRangeView>,
    /// Can any variant be sold now?
    pub available: bool,
    pub variant_count: u32,
}

/// From the cheapest to the dearest variant.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct PriceRangeView {
    pub from: Money,
    pub to: Money,
    /// The highest price that the cheapest variant's is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub compare_at: Option<Money>,
}

/// A product on its own page.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ProductView {
    pub id: ProductId,
    pub handle: Handle,
    pub title: String,
    /// May hold HTML as the merchant wrote it: clean it before showing it.
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vendor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub product_type: Option<String>,
    pub tags: Vec<String>,
    pub categories: Vec<CategoryRef>,
    pub options: Vec<OptionView>,
    pub variants: Vec<VariantView>,
    pub media: Vec<MediaView>,
    pub seo_title: String,
    pub seo_description: String,
    pub attributes: BTreeMap<String, String>,
    pub prices: Vec<PriceRangeView>,
    pub available: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub published_at: Option<Timestamp>,
}

/// An option with the values that variants have.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct OptionView {
    pub name: String,
    pub values: Vec<String>,
}

/// What can be put into a cart.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct VariantView {
    pub id: VariantId,
    /// The option values, such as `Red / L`; empty without options.
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sku: Option<kernel::Sku>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub barcode: Option<String>,
    /// One value for each option of the product.
    pub options: Vec<String>,
    pub prices: Vec<PriceView>,
    pub weight_grams: u32,
    pub requires_shipping: bool,
    pub gift_card: bool,
    pub available: bool,
    /// Ids of its pictures, the main one first.
    pub media: Vec<MediaId>,
    pub attributes: BTreeMap<String, String>,
}

/// A price, and what it is compared with.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct PriceView {
    pub price: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub compare_at: Option<Money>,
}

/// A picture.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct MediaView {
    pub id: MediaId,
    pub url: String,
    pub alt: String,
}

/// A category by name.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CategoryRef {
    pub id: CategoryId,
    pub handle: Handle,
    pub title: String,
}

impl CategoryRef {
    pub fn of(id: CategoryId, category: &Category, reader: &Reader<'_>) -> Self {
        Self { id, handle: category.handle.clone(), title: reader.text(&category.title) }
    }
}

impl PriceView {
    pub fn of(price: &Price) -> Self {
        Self { price: price.money(), compare_at: price.compare_at() }
    }
}

impl MediaView {
    fn of(media: &Media, reader: &Reader<'_>) -> Self {
        Self { id: media.id, url: media.url.clone(), alt: reader.text(&media.alt) }
    }
}

impl ProductCard {
    pub fn of(card: &Card, reader: &Reader<'_>) -> Self {
        let product = &card.product.state;
        Self {
            id: ProductId::from_uuid(card.product.id),
            handle: product.handle.clone(),
            title: reader.text(&product.title),
            vendor: product.vendor.clone(),
            tags: product.tags.clone(),
            image: product.media.first().map(|media| MediaView::of(media, reader)),
            prices: ranges(product),
            available: card.available,
            variant_count: product.variants.len() as u32,
        }
    }
}

impl ProductView {
    pub fn of(
        id: ProductId,
        product: &Product,
        sold_out: &HashSet<VariantId>,
        categories: &Tree,
        reader: &Reader<'_>,
    ) -> Self {
        let category = |id: &CategoryId| {
            categories.get(*id).map(|category| CategoryRef::of(*id, category, reader))
        };
        let options = product.options.iter().enumerate().map(|(index, option)| {
            let mut values: Vec<String> = Vec::new();
            for value in product.variants.iter().filter_map(|v| v.options.get(index)) {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
            OptionView { name: option.name.clone(), values }
        });
        Self {
            id,
            handle: product.handle.clone(),
            title: reader.text(&product.title),
            description: reader.text(&product.description),
            vendor: product.vendor.clone(),
            product_type: product.product_type.clone(),
            tags: product.tags.clone(),
            categories: product.categories.iter().filter_map(category).collect(),
            options: options.collect(),
            variants: product
                .variants
                .iter()
                .map(|variant| VariantView::of(variant, !sold_out.contains(&variant.id)))
                .collect(),
            media: product.media.iter().map(|media| MediaView::of(media, reader)).collect(),
            seo_title: reader.text(&product.seo.title),
            seo_description: reader.text(&product.seo.description),
            attributes: public(&product.attributes),
            prices: ranges(product),
            available: product.variants.iter().any(|v| !sold_out.contains(&v.id)),
            published_at: product.published_at,
        }
    }
}

impl VariantView {
    fn of(variant: &Variant, available: bool) -> Self {
        Self {
            id: variant.id,
            title: variant.title(),
            sku: variant.sku.clone(),
            barcode: variant.barcode.clone(),
            options: variant.options.clone(),
            prices: variant.prices.iter().map(PriceView::of).collect(),
            weight_grams: variant.weight_grams,
            requires_shipping: variant.requires_shipping,
            gift_card: variant.gift_card,
            available,
            media: variant.media.clone(),
            attributes: public(&variant.attributes),
        }
    }
}

/// Attributes that are the shop's own business: what things cost it, how it keeps its books, and
/// columns of files that nobody has given a meaning.
const PRIVATE: [&str; 9] = [
    "cost",
    "tax_code",
    "tax_category",
    "inventory_tracker",
    "fulfillment_service",
    "listing.",
    "stock.",
    "column.",
    "metafield.",
];

fn public(attributes: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let private = |key: &str| {
        PRIVATE.iter().any(|p| if p.ends_with('.') { key.starts_with(p) } else { key == *p })
    };
    attributes
        .iter()
        .filter(|(key, _)| !private(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn ranges(product: &Product) -> Vec<PriceRangeView> {
    let mut ranges: BTreeMap<Currency, (&Price, &Price)> = BTreeMap::new();
    for price in product.variants.iter().flat_map(|v| &v.prices) {
        let range = ranges.entry(price.currency).or_insert((price, price));
        if price.amount_minor < range.0.amount_minor {
            range.0 = price;
        }
        if price.amount_minor > range.1.amount_minor {
            range.1 = price;
        }
    }
    let view = |(from, to): (&Price, &Price)| PriceRangeView {
        from: from.money(),
        to: to.money(),
        compare_at: from.compare_at(),
    };
    ranges.into_values().map(view).collect()
}
