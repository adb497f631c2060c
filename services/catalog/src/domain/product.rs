//! The product: what a shop front shows on one page, with everything that belongs to it.

use std::collections::BTreeMap;
use std::fmt::Display;

use kernel::{Handle, LocalizedText, Timestamp, typed_id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::category::CategoryId;
use super::fault::{Fault, Faults};
use super::variant::{Variant, VariantId};

typed_id!(
    /// The id of a product.
    ProductId, "prod"
);
typed_id!(
    /// The id of a picture, video or document of a product.
    MediaId, "media"
);

/// How much of everything a product may hold. The importers apply the same limits to each cell.
pub mod limits {
    pub const TITLE_CHARS: usize = 255;
    pub const DESCRIPTION_CHARS: usize = 200_000;
    pub const WORD_CHARS: usize = 255;
    pub const BARCODE_CHARS: usize = 100;
    pub const SEO_CHARS: usize = 5_000;
    pub const TAGS: usize = 250;
    pub const CATEGORIES: usize = 100;
    pub const OPTIONS: usize = 5;
    pub const OPTION_CHARS: usize = 255;
    pub const VARIANTS: usize = 2_048;
    pub const MEDIA: usize = 250;
    pub const URL_CHARS: usize = 2_048;
    pub const PRICES: usize = 50;
    pub const LOCALES: usize = 50;
    pub const WEIGHT_GRAMS: u32 = 100_000_000;
    pub const ATTRIBUTES: usize = 500;
    pub const ATTRIBUTE_KEY_CHARS: usize = 255;
    pub const ATTRIBUTE_CHARS: usize = 70_000;
}

/// Whether shoppers see a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being prepared; only staff see it.
    #[default]
    Draft,
    /// For sale.
    Published,
    /// Kept for the books; only staff see it.
    Archived,
}

impl Status {
    pub fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Archived => "archived",
        }
    }
}

/// A product with its variants. `PartialEq` over everything but the times decides whether an
/// import changes anything; see [`Product::same_content`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    pub handle: Handle,
    pub status: Status,
    pub title: LocalizedText,
    /// May hold HTML, as merchants write it; whoever shows it must clean it.
    #[serde(default, skip_serializing_if = "LocalizedText::is_empty")]
    pub description: LocalizedText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_type: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ProductOption>,
    /// At least one; in the order in which they are shown.
    pub variants: Vec<Variant>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    #[serde(default, skip_serializing_if = "Seo::is_empty")]
    pub seo: Seo,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When it was last put up for sale; `None` unless published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
}

/// What distinguishes variants: a name such as `Size`. The values stand in the variants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductOption {
    pub name: String,
}

/// A reference to a picture; the file itself lies elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    pub id: MediaId,
    /// An address or a file name, as the shop gave it; see [`address_fault`].
    pub url: String,
    #[serde(default, skip_serializing_if = "LocalizedText::is_empty")]
    pub alt: LocalizedText,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// Texts for search engines, where they differ from the product's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seo {
    #[serde(default, skip_serializing_if = "LocalizedText::is_empty")]
    pub title: LocalizedText,
    #[serde(default, skip_serializing_if = "LocalizedText::is_empty")]
    pub description: LocalizedText,
}

impl Seo {
    pub fn is_empty(&self) -> bool {
        self.title.is_empty() && self.description.is_empty()
    }
}

impl Product {
    /// A draft without variants, to be filled before it is checked.
    pub fn new(handle: Handle, now: Timestamp) -> Self {
        Self {
            handle,
            status: Status::Draft,
            title: LocalizedText::default(),
            description: LocalizedText::default(),
            vendor: None,
            product_type: None,
            tags: Vec::new(),
            categories: Vec::new(),
            options: Vec::new(),
            variants: Vec::new(),
            media: Vec::new(),
            seo: Seo::default(),
            attributes: BTreeMap::new(),
            created_at: now,
            updated_at: now,
            published_at: None,
        }
    }

    /// Sets the status; a product that becomes published remembers since when.
    pub fn set_status(&mut self, status: Status, now: Timestamp) {
        if status == Status::Published {
            self.published_at.get_or_insert(now);
        } else {
            self.published_at = None;
        }
        self.status = status;
    }

    pub fn is_published(&self) -> bool {
        self.status == Status::Published
    }

    pub fn variant_ids(&self) -> Vec<VariantId> {
        self.variants.iter().map(|v| v.id).collect()
    }

    pub fn variant(&self, id: VariantId) -> Option<&Variant> {
        self.variants.iter().find(|v| v.id == id)
    }

    pub fn media(&self, id: MediaId) -> Option<&Media> {
        self.media.iter().find(|m| m.id == id)
    }

    /// The picture that stands for a variant: its own, else the product's first.
    pub fn picture_of(&self, variant: &Variant) -> Option<&Media> {
        variant.media.first().and_then(|id| self.media(*id)).or_else(|| self.media.first())
    }

    /// Whether a shopper and an export would see the same; times do not count.
    pub fn same_content(&self, other: &Self) -> bool {
        let Self { created_at: _, updated_at: _, published_at: _, .. } = self;
        self.handle == other.handle
            && self.status == other.status
            && self.title == other.title
            && self.description == other.description
            && self.vendor == other.vendor
            && self.product_type == other.product_type
            && self.tags == other.tags
            && self.categories == other.categories
            && self.options == other.options
            && self.variants == other.variants
            && self.media == other.media
            && self.seo == other.seo
            && self.attributes == other.attributes
    }

    /// Drops what nobody can see: outer blanks, empty texts and attributes, repeated tags. A file
    /// cannot tell these apart, so an export could not be imported again without a change.
    pub fn tidy(&mut self) {
        for text in [&mut self.title, &mut self.seo.title, &mut self.seo.description] {
            tidy_text(text);
        }
        self.description.0.retain(|_, text| !text.trim().is_empty());
        for word in [&mut self.vendor, &mut self.product_type] {
            *word = word.take().map(|w| w.trim().to_owned()).filter(|w| !w.is_empty());
        }
        let tags = std::mem::take(&mut self.tags);
        for tag in tags.iter().map(|tag| tag.trim()).filter(|tag| !tag.is_empty()) {
            if !self.tags.iter().any(|known| known == tag) {
                self.tags.push(tag.to_owned());
            }
        }
        for option in &mut self.options {
            option.name = option.name.trim().to_owned();
        }
        tidy_attributes(&mut self.attributes);
        for media in &mut self.media {
            media.url = media.url.trim().to_owned();
            tidy_text(&mut media.alt);
            tidy_attributes(&mut media.attributes);
        }
        for variant in &mut self.variants {
            let barcode = variant.barcode.take().map(|b| b.trim().to_owned());
            variant.barcode = barcode.filter(|b| !b.is_empty());
            for value in &mut variant.options {
                *value = value.trim().to_owned();
            }
            variant.prices.sort_by_key(|p| p.currency);
            tidy_attributes(&mut variant.attributes);
        }
    }

    /// The invariants of a product. All broken ones are reported, up to a hundred.
    pub fn check(&self) -> Result<(), Vec<Fault>> {
        let mut faults = Faults::default();
        if self.title.is_empty() {
            faults.add("title", "a product has a title");
        }
        check_text("title", &self.title, limits::TITLE_CHARS, &mut faults);
        check_text("description", &self.description, limits::DESCRIPTION_CHARS, &mut faults);
        check_text("seo.title", &self.seo.title, limits::SEO_CHARS, &mut faults);
        check_text("seo.description", &self.seo.description, limits::SEO_CHARS, &mut faults);
        faults.length("vendor", self.vendor.as_deref().unwrap_or(""), limits::WORD_CHARS);
        faults.length(
            "product_type",
            self.product_type.as_deref().unwrap_or(""),
            limits::WORD_CHARS,
        );
        faults.count("tags", self.tags.len(), limits::TAGS);
        for (index, tag) in self.tags.iter().enumerate() {
            faults.length(format_args!("tags[{index}]"), tag, limits::WORD_CHARS);
            if tag.trim().is_empty() || tag.contains(',') {
                faults.add(format_args!("tags[{index}]"), "a tag is not empty and holds no comma");
            }
        }
        faults.count("categories", self.categories.len(), limits::CATEGORIES);
        check_attributes("attributes", &self.attributes, &mut faults);
        self.check_media(&mut faults);
        self.check_variants(&mut faults);
        faults.finish()
    }

    fn check_media(&self, faults: &mut Faults) {
        faults.count("media", self.media.len(), limits::MEDIA);
        for (index, media) in self.media.iter().enumerate() {
            let at = format_args!("media[{index}]");
            if media.url.trim().is_empty() {
                faults.add(format_args!("{at}.url"), "an address is not empty");
            }
            if let Some(fault) = address_fault(media.url.trim()) {
                faults.add(format_args!("{at}.url"), fault);
            }
            faults.length(format_args!("{at}.url"), &media.url, limits::URL_CHARS);
            if self.media[..index].iter().any(|m| m.url == media.url) {
                faults.add(format_args!("{at}.url"), "this address stands twice");
            }
            check_text(format_args!("{at}.alt"), &media.alt, limits::SEO_CHARS, faults);
            check_attributes(format_args!("{at}.attributes"), &media.attributes, faults);
        }
        if has_twins(self.media.iter().map(|m| m.id)) {
            faults.add("media", "an id stands twice");
        }
    }

    fn check_variants(&self, faults: &mut Faults) {
        faults.count("options", self.options.len(), limits::OPTIONS);
        for (index, option) in self.options.iter().enumerate() {
            if option.name.trim().is_empty() {
                faults.add(format_args!("options[{index}].name"), "an option has a name");
            }
            faults.length(
                format_args!("options[{index}].name"),
                &option.name,
                limits::OPTION_CHARS,
            );
            if self.options[..index].iter().any(|o| o.name == option.name) {
                faults.add(
                    format_args!("options[{index}].name"),
                    "an option of this name stands twice",
                );
            }
        }
        if self.variants.is_empty() {
            faults.add("variants", "a product has at least one variant");
        }
        faults.count("variants", self.variants.len(), limits::VARIANTS);
        if self.options.is_empty() && self.variants.len() > 1 {
            faults
                .add("options", "a product with several variants has options that tell them apart");
        }
        let media: Vec<MediaId> = self.media.iter().map(|m| m.id).collect();
        for (index, variant) in self.variants.iter().enumerate() {
            variant.check(format_args!("variants[{index}]"), self.options.len(), &media, faults);
        }
        if has_twins(self.variants.iter().map(|v| v.id)) {
            faults.add("variants", "an id stands twice");
        }
    }
}

/// What is wrong with the address of a picture, if anything. Whoever shows it hands it to a browser,
/// so it leads somewhere over HTTP, or it is a path or a file name of the shop's own; never a
/// script, never data.
pub fn address_fault(url: &str) -> Option<&'static str> {
    if url.chars().any(char::is_control) {
        return Some("an address holds no control characters");
    }
    let scheme = url.split(['/', '?', '#']).next().and_then(|start| start.split_once(':'));
    match scheme {
        Some((scheme, _))
            if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") =>
        {
            Some("an address begins with https:// or http://, or is a path or a file name")
        }
        _ => None,
    }
}

fn tidy_text(text: &mut LocalizedText) {
    for value in text.0.values_mut() {
        if value.trim().len() != value.len() {
            *value = value.trim().to_owned();
        }
    }
    text.0.retain(|_, value| !value.is_empty());
}

fn tidy_attributes(attributes: &mut BTreeMap<String, String>) {
    for value in attributes.values_mut() {
        if value.trim().len() != value.len() {
            *value = value.trim().to_owned();
        }
    }
    attributes.retain(|_, value| !value.is_empty());
}

fn has_twins<T: Ord>(ids: impl Iterator<Item = T>) -> bool {
    let mut ids: Vec<T> = ids.collect();
    ids.sort_unstable();
    ids.windows(2).any(|pair| pair[0] == pair[1])
}

pub(super) fn check_text(
    at: impl Display + Copy,
    text: &LocalizedText,
    max: usize,
    faults: &mut Faults,
) {
    faults.count(at, text.0.len(), limits::LOCALES);
    for (locale, text) in &text.0 {
        faults.length(format_args!("{at}.{locale}"), text, max);
    }
}

pub(super) fn check_attributes(
    at: impl Display + Copy,
    attributes: &BTreeMap<String, String>,
    faults: &mut Faults,
) {
    faults.count(at, attributes.len(), limits::ATTRIBUTES);
    for (key, value) in attributes {
        if key.is_empty() || key.trim() != key || key.chars().any(char::is_control) {
            faults.add(at, "a key has printable characters and no blanks at its ends");
        }
        faults.length(at, key, limits::ATTRIBUTE_KEY_CHARS);
        faults.length(at, value, limits::ATTRIBUTE_CHARS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mug() -> Product {
        let mut product = Product::new("mug".parse().unwrap(), Timestamp::EPOCH);
        product.title = LocalizedText::of("en".parse().unwrap(), "Mug");
        product.variants.push(Variant::new(VariantId::from_uuid(kernel::id::Uuid::from_u128(1))));
        product
    }

    fn fields(product: &Product) -> Vec<String> {
        product.check().err().unwrap_or_default().into_iter().map(|f| f.field).collect()
    }

    #[test]
    fn a_product_needs_a_title_and_a_variant() {
        assert!(mug().check().is_ok());
        let mut product = mug();
        product.title = LocalizedText::default();
        product.variants.clear();
        assert_eq!(fields(&product), ["title", "variants"]);
    }

    #[test]
    fn variants_name_a_value_for_each_option_and_only_known_media() {
        let mut product = mug();
        product.options.push(ProductOption { name: "Size".into() });
        product.variants[0].media.push(MediaId::from_uuid(kernel::id::Uuid::from_u128(9)));
        assert_eq!(fields(&product), ["variants[0].options", "variants[0].media"]);
    }

    #[test]
    fn negative_prices_and_second_prices_in_a_currency_are_refused() {
        let mut product = mug();
        let price = |amount_minor| super::super::Price {
            amount_minor,
            currency: kernel::Currency::EUR,
            compare_at_minor: None,
        };
        product.variants[0].prices = vec![price(-1), price(5)];
        assert_eq!(fields(&product), ["variants[0].prices[0]", "variants[0].prices[1]"]);
    }

    #[test]
    fn pictures_are_addressed_over_http_or_within_the_shop() {
        for good in [
            "https://cdn.example.com/a.jpg?v=1:2",
            "HTTP://example.com/a.jpg",
            "//cdn.example.com/a.jpg",
            "/media/demo/a.svg",
            "a picture.jpg",
            "folder/12:30.jpg",
        ] {
            assert_eq!(address_fault(good), None, "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "data:image/svg+xml,x",
            "file:///etc/passwd",
            "ftp://x/a.jpg",
            "java\nscript:x",
            "vbscript:x",
            ":x",
            "blob:https://example.com/a",
        ] {
            assert!(address_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn publishing_again_keeps_the_first_time() {
        let mut product = mug();
        product.set_status(Status::Published, Timestamp::from_micros(1));
        product.set_status(Status::Published, Timestamp::from_micros(2));
        assert_eq!(product.published_at, Some(Timestamp::from_micros(1)));
        product.set_status(Status::Archived, Timestamp::from_micros(3));
        assert_eq!(product.published_at, None);
    }
}
