//! What staff send. Shapes and lengths are checked here; the rules between fields by the domain,
//! which names the field as well.

use std::collections::BTreeMap;

use garde::Validate;
use kernel::{Handle, Locale, LocalizedText, Money, Sku};
use platform::Env;
use platform::http::Problem;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::application::{CategoryDraft, ProductDraft};
use crate::domain::{
    CategoryId, Media, MediaId, Price, ProductOption, Seo, Status, TaxClass, Variant, VariantId,
    WeightUnit,
};

/// A product to create, or all of what a product becomes.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductInput {
    /// Made of the title when absent.
    #[garde(skip)]
    handle: Option<Handle>,
    /// `draft` when absent.
    #[serde(default)]
    #[garde(skip)]
    status: Status,
    #[garde(skip)]
    title: LocalizedText,
    #[serde(default)]
    #[garde(skip)]
    description: LocalizedText,
    #[garde(inner(length(chars, max = 255)))]
    #[schema(max_length = 255)]
    vendor: Option<String>,
    #[garde(inner(length(chars, max = 255)))]
    #[schema(max_length = 255)]
    product_type: Option<String>,
    #[serde(default)]
    #[garde(length(max = 250))]
    #[schema(max_items = 250)]
    tags: Vec<String>,
    #[serde(default)]
    #[garde(length(max = 100))]
    #[schema(max_items = 100)]
    categories: Vec<CategoryId>,
    /// The names of the options, in order.
    #[serde(default)]
    #[garde(length(max = 5))]
    #[schema(max_items = 5)]
    options: Vec<String>,
    #[garde(length(min = 1, max = 2048), dive)]
    #[schema(min_items = 1, max_items = 2048)]
    variants: Vec<VariantInput>,
    #[serde(default)]
    #[garde(length(max = 250), dive)]
    #[schema(max_items = 250)]
    media: Vec<MediaInput>,
    #[serde(default)]
    #[garde(skip)]
    seo_title: LocalizedText,
    #[serde(default)]
    #[garde(skip)]
    seo_description: LocalizedText,
    #[serde(default)]
    #[garde(length(max = 500))]
    attributes: BTreeMap<String, String>,
}

/// A variant; one with an id keeps it, one without gets a fresh one.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantInput {
    #[garde(skip)]
    id: Option<VariantId>,
    #[garde(skip)]
    sku: Option<Sku>,
    #[garde(inner(length(chars, max = 100)))]
    #[schema(max_length = 100)]
    barcode: Option<String>,
    /// One value for each option.
    #[serde(default)]
    #[garde(length(max = 5))]
    #[schema(max_items = 5)]
    options: Vec<String>,
    /// At most one a currency.
    #[serde(default)]
    #[garde(length(max = 50), dive)]
    #[schema(max_items = 50)]
    prices: Vec<PriceInput>,
    #[serde(default)]
    #[garde(range(max = 100_000_000))]
    #[schema(maximum = 100_000_000)]
    weight_grams: u32,
    #[garde(skip)]
    weight_unit: Option<WeightUnit>,
    #[serde(default)]
    #[garde(skip)]
    tax_class: TaxClass,
    #[serde(default = "yes")]
    #[garde(skip)]
    #[schema(default = true)]
    requires_shipping: bool,
    #[serde(default)]
    #[garde(skip)]
    gift_card: bool,
    /// Ids among the product's media, the main one first.
    #[serde(default)]
    #[garde(length(max = 250))]
    #[schema(max_items = 250)]
    media: Vec<MediaId>,
    #[serde(default)]
    #[garde(length(max = 500))]
    attributes: BTreeMap<String, String>,
}

/// A price in one currency.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceInput {
    #[garde(custom(not_negative))]
    price: Money,
    /// In the same currency.
    #[garde(inner(custom(not_negative)))]
    compare_at: Option<Money>,
}

/// A picture; one with an id keeps it, one without gets a fresh one. A variant that refers to a
/// new picture needs the picture to bring an id.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaInput {
    #[garde(skip)]
    id: Option<MediaId>,
    #[garde(length(chars, min = 1, max = 2048))]
    #[schema(min_length = 1, max_length = 2048)]
    url: String,
    #[serde(default)]
    #[garde(skip)]
    alt: LocalizedText,
    #[serde(default)]
    #[garde(length(max = 500))]
    attributes: BTreeMap<String, String>,
}

/// A category to create, or all of what a category becomes.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryInput {
    /// Made of the title when absent.
    #[garde(skip)]
    handle: Option<Handle>,
    /// Holds no `>` and no `|`: files write paths with them.
    #[garde(skip)]
    title: LocalizedText,
    #[serde(default)]
    #[garde(skip)]
    description: LocalizedText,
    #[garde(skip)]
    parent: Option<CategoryId>,
    /// Where it stands among its siblings.
    #[serde(default)]
    #[garde(range(min = -1_000_000, max = 1_000_000))]
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    position: i32,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde hands its context by reference")]
fn not_negative(money: &Money, (): &()) -> garde::Result {
    if (0..=Money::LIMIT).contains(&money.amount_minor()) {
        Ok(())
    } else {
        Err(garde::Error::new("must be zero or more, and at most 10^15 minor units"))
    }
}

/// The handle given, else one made of the title in the shop's own locale.
fn handle(given: Option<Handle>, title: &LocalizedText, own: &Locale) -> Result<Handle, Problem> {
    let made = || Handle::from_title(title.choose(&[], own));
    given
        .or_else(made)
        .ok_or_else(|| Problem::invalid_field("handle", "is required: the title makes none"))
}

impl ProductInput {
    pub fn into_draft(self, env: &Env, own: &Locale) -> Result<ProductDraft, Problem> {
        let mut variants = Vec::with_capacity(self.variants.len());
        for (index, variant) in self.variants.into_iter().enumerate() {
            variants.push(variant.into_variant(index, env)?);
        }
        let media = self.media.into_iter().map(|media| Media {
            id: media.id.unwrap_or_else(|| env.id()),
            url: media.url,
            alt: media.alt,
            attributes: media.attributes,
        });
        Ok(ProductDraft {
            handle: handle(self.handle, &self.title, own)?,
            status: self.status,
            title: self.title,
            description: self.description,
            vendor: self.vendor,
            product_type: self.product_type,
            tags: self.tags,
            categories: self.categories,
            options: self.options.into_iter().map(|name| ProductOption { name }).collect(),
            variants,
            media: media.collect(),
            seo: Seo { title: self.seo_title, description: self.seo_description },
            attributes: self.attributes,
        })
    }
}

impl VariantInput {
    fn into_variant(self, index: usize, env: &Env) -> Result<Variant, Problem> {
        let mut prices = Vec::with_capacity(self.prices.len());
        for (number, input) in self.prices.into_iter().enumerate() {
            let currency = input.price.currency();
            if input.compare_at.is_some_and(|other| other.currency() != currency) {
                let field = format!("variants[{index}].prices[{number}].compare_at");
                return Err(Problem::invalid_field(field, "must be in the currency of the price"));
            }
            prices.push(Price {
                amount_minor: input.price.amount_minor(),
                currency,
                compare_at_minor: input.compare_at.map(Money::amount_minor),
            });
        }
        Ok(Variant {
            id: self.id.unwrap_or_else(|| env.id()),
            sku: self.sku,
            barcode: self.barcode,
            options: self.options,
            prices,
            weight_grams: self.weight_grams,
            weight_unit: self.weight_unit,
            tax_class: self.tax_class,
            requires_shipping: self.requires_shipping,
            gift_card: self.gift_card,
            media: self.media,
            attributes: self.attributes,
        })
    }
}

impl CategoryInput {
    pub fn into_draft(self, own: &Locale) -> Result<CategoryDraft, Problem> {
        Ok(CategoryDraft {
            handle: handle(self.handle, &self.title, own)?,
            title: self.title,
            description: self.description,
            parent: self.parent,
            position: self.position,
        })
    }
}
