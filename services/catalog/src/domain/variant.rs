//! A variant: what a shopper puts into a cart, with its own price, weight and picture.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use kernel::{Currency, Money, Sku, typed_id};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::fault::Faults;
use super::product::{MediaId, limits};

typed_id!(
    /// The id of a variant; it survives every re-import of the file that brought it.
    VariantId, "var"
);

/// One sellable form of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub id: VariantId,
    /// Not unique: files of real shops hold the same SKU twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
    /// One value for each option of the product, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// At most one a currency, in the order of the currencies' codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<Price>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub weight_grams: u32,
    /// The unit that people want to read the weight in; the weight itself is in grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_unit: Option<WeightUnit>,
    #[serde(default)]
    pub tax_class: TaxClass,
    pub requires_shipping: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gift_card: bool,
    /// Pictures of this variant, the main one first; each is one of the product's media.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<MediaId>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl Variant {
    /// A variant with nothing but its id: for sale, shipped, taxed as usual, without a price.
    pub fn new(id: VariantId) -> Self {
        Self {
            id,
            sku: None,
            barcode: None,
            options: Vec::new(),
            prices: Vec::new(),
            weight_grams: 0,
            weight_unit: None,
            tax_class: TaxClass::default(),
            requires_shipping: true,
            gift_card: false,
            media: Vec::new(),
            attributes: BTreeMap::new(),
        }
    }

    pub fn price(&self, currency: Currency) -> Option<&Price> {
        self.prices.iter().find(|p| p.currency == currency)
    }

    /// The option values as people read them: `Red / L`; empty without options.
    pub fn title(&self) -> String {
        self.options.join(" / ")
    }

    pub(super) fn check(
        &self,
        at: fmt::Arguments<'_>,
        options: usize,
        media: &[MediaId],
        faults: &mut Faults,
    ) {
        if self.options.len() != options {
            faults.add(
                format_args!("{at}.options"),
                format!("holds one value for each of the product's {options} options"),
            );
        }
        for value in &self.options {
            if value.trim().is_empty() {
                faults.add(format_args!("{at}.options"), "an option value is not empty");
            }
            faults.length(format_args!("{at}.options"), value, limits::OPTION_CHARS);
        }
        if let Some(barcode) = &self.barcode {
            faults.length(format_args!("{at}.barcode"), barcode, limits::BARCODE_CHARS);
        }
        faults.count(format_args!("{at}.prices"), self.prices.len(), limits::PRICES);
        for (index, price) in self.prices.iter().enumerate() {
            price.check(format_args!("{at}.prices[{index}]"), faults);
            if self.prices[..index].iter().any(|p| p.currency == price.currency) {
                faults.add(
                    format_args!("{at}.prices[{index}]"),
                    format!("a second price in {}", price.currency),
                );
            }
        }
        if self.weight_grams > limits::WEIGHT_GRAMS {
            faults.add(
                format_args!("{at}.weight_grams"),
                format!("is at most {}", limits::WEIGHT_GRAMS),
            );
        }
        faults.count(format_args!("{at}.media"), self.media.len(), limits::MEDIA);
        for id in &self.media {
            if !media.contains(id) {
                faults.add(
                    format_args!("{at}.media"),
                    format!("{id} is not among the product's media"),
                );
            }
        }
        super::product::check_attributes(format_args!("{at}.attributes"), &self.attributes, faults);
    }
}

/// What a variant costs in one currency, in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    #[serde(rename = "amount")]
    pub amount_minor: i64,
    pub currency: Currency,
    /// The struck-through price beside it.
    #[serde(default, rename = "compare_at", skip_serializing_if = "Option::is_none")]
    pub compare_at_minor: Option<i64>,
}

impl Price {
    pub fn money(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }

    pub fn compare_at(&self) -> Option<Money> {
        self.compare_at_minor.map(|minor| Money::new(minor, self.currency))
    }

    fn check(&self, at: fmt::Arguments<'_>, faults: &mut Faults) {
        for amount in std::iter::once(self.amount_minor).chain(self.compare_at_minor) {
            if !(0..=Money::LIMIT).contains(&amount) {
                faults.add(at, "an amount is zero or more, and at most 10^15 minor units");
            }
        }
    }
}

/// The unit in which a weight is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WeightUnit {
    G,
    Kg,
    Oz,
    Lb,
}

impl WeightUnit {
    pub fn code(self) -> &'static str {
        match self {
            Self::G => "g",
            Self::Kg => "kg",
            Self::Oz => "oz",
            Self::Lb => "lb",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "g" | "gram" | "grams" => Some(Self::G),
            "kg" | "kilogram" | "kilograms" => Some(Self::Kg),
            "oz" | "ounce" | "ounces" => Some(Self::Oz),
            "lb" | "lbs" | "pound" | "pounds" => Some(Self::Lb),
            _ => None,
        }
    }

    /// One unit in millionths of a gram (international avoirdupois for pounds and ounces).
    pub fn micrograms(self) -> u64 {
        match self {
            Self::G => 1_000_000,
            Self::Kg => 1_000_000_000,
            Self::Oz => 28_349_523,
            Self::Lb => 453_592_370,
        }
    }
}

/// How a variant is taxed: `standard`, `reduced`, `none`, or a word of the shop's own: 1 to 32
/// lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TaxClass(String);

impl TaxClass {
    pub const MAX_CHARS: usize = 32;

    pub fn none() -> Self {
        Self("none".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_none(&self) -> bool {
        self.0 == "none"
    }

    /// Makes a class of a name as people write it: `Standard Tax` becomes `standard-tax`.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut word = String::new();
        for c in name.trim().chars() {
            if c.is_ascii_alphanumeric() {
                word.push(c.to_ascii_lowercase());
            } else if !word.is_empty() && !word.ends_with('-') {
                word.push('-');
            }
        }
        word.trim_end_matches('-').parse().ok()
    }
}

impl Default for TaxClass {
    fn default() -> Self {
        Self("standard".to_owned())
    }
}

impl FromStr for TaxClass {
    type Err = kernel::text::TextError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(kernel::text::TextError(
                "a tax class has 1 to 32 lower-case letters, digits and hyphens",
            ))
        }
    }
}

impl fmt::Display for TaxClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TaxClass {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for TaxClass {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .min_length(Some(1))
            .max_length(Some(32))
            .pattern(Some("^[a-z0-9-]+$"))
            .examples(["standard"])
            .into()
    }
}
impl ToSchema for TaxClass {}
