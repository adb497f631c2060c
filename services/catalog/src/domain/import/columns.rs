//! What each header of a file means. Names are compared without case and outer blanks.
//!
//! A header that means nothing here becomes the attribute `column.<header>` of what its row
//! describes, so an export can write it back.

use std::fmt;
use std::str::FromStr;

use kernel::{Currency, Locale};

use super::rows::{FileError, Record};
use crate::domain::export::unguard;

/// Whose format a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Shopify,
    Vendure,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shopify => "shopify",
            Self::Vendure => "vendure",
        })
    }
}

impl FromStr for Format {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "shopify" => Ok(Self::Shopify),
            "vendure" => Ok(Self::Vendure),
            _ => Err(()),
        }
    }
}

/// The meaning of a column, whatever format it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    Handle,
    Title(Option<Locale>),
    Description(Option<Locale>),
    SeoTitle(Option<Locale>),
    SeoDescription(Option<Locale>),
    Vendor,
    Type,
    Tags,
    Published,
    Status,
    /// A path of category titles, `A > B`; the text is also kept, as this attribute.
    CategoryPath(&'static str),
    /// Several paths, joined by ` | `.
    Categories,
    Facets,
    OptionName(usize),
    OptionValue(usize),
    /// All names, or all values, joined by a bar.
    OptionNames,
    OptionValues,
    Sku,
    Barcode,
    /// A decimal number of grams, or of the unit that another column names.
    Grams,
    Weight,
    WeightUnit,
    Tracker,
    Quantity,
    Backorder,
    Price(Option<Currency>),
    CompareAt(Option<Currency>),
    RequiresShipping,
    Taxable,
    TaxClass,
    GiftCard,
    Image,
    ImagePosition,
    ImageAlt(Option<Locale>),
    /// All addresses, joined by a bar.
    Images,
    VariantImage,
    VariantImages,
    VariantFacets,
    ProductAttribute(String),
    VariantAttribute(String),
    ImageAttribute(String),
    /// Of the product in its first row, else of the row's variant, else of the row's picture.
    RowAttribute(String),
    /// No header: kept only when something stands below it.
    Nameless,
}

impl Column {
    /// Columns whose cells make a row a variant.
    pub fn makes_variant(&self) -> bool {
        matches!(
            self,
            Self::OptionValue(_)
                | Self::OptionValues
                | Self::Sku
                | Self::Barcode
                | Self::Quantity
                | Self::Price(_)
                | Self::CompareAt(_)
                | Self::VariantImage
                | Self::VariantImages
        )
    }

    pub fn is_unknown(&self) -> bool {
        match self {
            Self::RowAttribute(key) | Self::VariantAttribute(key) => key.starts_with(UNKNOWN),
            Self::Nameless => true,
            _ => false,
        }
    }
}

/// The beginning of the key of an attribute that was an unknown column.
pub const UNKNOWN: &str = "column.";

/// The columns of one file.
#[derive(Clone, Debug)]
pub struct Layout {
    pub format: Format,
    pub columns: Vec<Column>,
    pub names: Vec<String>,
    pub unknown: Vec<String>,
}

impl Layout {
    /// Reads a header row. Refused when it is no header of either format.
    pub fn new(
        header: &Record,
        format: Option<Format>,
        locale: &Locale,
    ) -> Result<Self, FileError> {
        if let Some((_, message)) = &header.fault {
            return Err(FileError::Header(message.clone()));
        }
        let names: Vec<String> =
            header.cells().map(|cell| unguard(cell.trim()).trim().to_owned()).collect();
        let lower: Vec<String> = names.iter().map(|name| normal(name)).collect();
        let format = match format {
            Some(format) => format,
            None => detect(&lower).ok_or_else(|| {
                FileError::Header(
                    "neither Shopify's (Title, Handle or URL handle) nor Vendure's (name, sku, \
                     price …) columns are there"
                        .to_owned(),
                )
            })?,
        };
        let mut columns: Vec<Column> = match format {
            Format::Shopify => names.iter().map(|name| shopify(name)).collect(),
            Format::Vendure => super::vendure::columns(&names, locale),
        };
        for index in 1..columns.len() {
            let twin = !matches!(columns[index], Column::Nameless)
                && columns[..index].contains(&columns[index]);
            if twin {
                columns[index] =
                    Column::RowAttribute(format!("{UNKNOWN}{} ({})", names[index], index + 1));
            }
        }
        let required = match format {
            Format::Shopify => [Column::Title(None), Column::Handle],
            Format::Vendure => [Column::Title(None), Column::Title(None)],
        };
        if !required.iter().any(|column| columns.contains(column)) {
            return Err(FileError::Header(match format {
                Format::Shopify => "a Shopify file has a column Title or Handle".to_owned(),
                Format::Vendure => "a Vendure file has a column name".to_owned(),
            }));
        }
        let unknown = columns
            .iter()
            .zip(&names)
            .filter(|(column, name)| column.is_unknown() && !name.is_empty())
            .map(|(_, name)| name.clone())
            .collect();
        Ok(Self { format, columns, names, unknown })
    }

    pub fn find(&self, column: &Column) -> Option<usize> {
        self.columns.iter().position(|c| c == column)
    }

    /// Does the file speak of stock?
    pub fn sets_stock(&self) -> bool {
        [Column::Tracker, Column::Quantity, Column::Backorder].iter().any(|c| self.has(c))
    }

    pub fn has(&self, column: &Column) -> bool {
        self.columns.contains(column)
    }

    /// The header of a cell; cells beyond the header have none.
    pub fn name(&self, index: usize) -> Option<&str> {
        self.names.get(index).map(String::as_str)
    }
}

fn detect(names: &[String]) -> Option<Format> {
    let has = |name: &str| names.iter().any(|n| n == name);
    let begins = |name: &str| names.iter().any(|n| n == name || n.starts_with(&format!("{name}:")));
    if begins("name") && (has("sku") || begins("optiongroups") || begins("slug")) && !has("title") {
        Some(Format::Vendure)
    } else if has("title") || has("handle") || has("url handle") {
        Some(Format::Shopify)
    } else {
        None
    }
}

/// Lower case, single blanks.
pub fn normal(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The meaning of a header in a Shopify file, of the older or the newer kind, or in our export.
pub fn shopify(name: &str) -> Column {
    let lower = normal(name);
    if lower.is_empty() {
        return Column::Nameless;
    }
    if let Some(column) = fixed(&lower).or_else(|| numbered(&lower)) {
        return column;
    }
    if let Some((base, suffix)) = name.split_once(" / ")
        && let Some(column) = qualified(&normal(base), suffix.trim())
    {
        return column;
    }
    if let Some(column) = metafield(name) {
        return column;
    }
    let key = format!("{UNKNOWN}{}", name.trim());
    if lower.starts_with("variant ") || lower.starts_with("price / ") {
        Column::VariantAttribute(key)
    } else {
        Column::RowAttribute(key)
    }
}

fn fixed(lower: &str) -> Option<Column> {
    let attribute = |key: &str| Some(Column::VariantAttribute(key.to_owned()));
    Some(match lower {
        "handle" | "url handle" => Column::Handle,
        "title" => Column::Title(None),
        "body (html)" | "body html" | "body" | "description" => Column::Description(None),
        "seo title" => Column::SeoTitle(None),
        "seo description" => Column::SeoDescription(None),
        "vendor" => Column::Vendor,
        "type" | "custom product type" => Column::Type,
        "tags" => Column::Tags,
        "published" | "published on online store" => Column::Published,
        "status" => Column::Status,
        "product category" | "standard product type" => Column::CategoryPath("product_category"),
        "collection" => Column::CategoryPath("collection"),
        "categories" => Column::Categories,
        "variant sku" | "sku" => Column::Sku,
        "variant barcode" | "barcode" => Column::Barcode,
        "variant grams" | "weight value (grams)" => Column::Grams,
        "variant weight" | "weight" => Column::Weight,
        "variant weight unit" | "weight unit for display" | "weight unit" => Column::WeightUnit,
        "variant inventory tracker" | "inventory tracker" => Column::Tracker,
        "variant inventory qty" | "inventory quantity" | "variant inventory quantity" => {
            Column::Quantity
        }
        "variant inventory policy" | "continue selling when out of stock" => Column::Backorder,
        "variant price" | "price" => Column::Price(None),
        "variant compare at price" | "compare-at price" | "compare at price" => {
            Column::CompareAt(None)
        }
        "variant requires shipping" | "requires shipping" => Column::RequiresShipping,
        "variant taxable" | "charge tax" | "taxable" => Column::Taxable,
        "variant tax class" => Column::TaxClass,
        "gift card" => Column::GiftCard,
        "image src" | "product image url" => Column::Image,
        "image position" => Column::ImagePosition,
        "image alt text" => Column::ImageAlt(None),
        "variant image" | "variant image url" => Column::VariantImage,
        "variant images" => Column::VariantImages,
        "variant fulfillment service" | "fulfillment service" => {
            return attribute("fulfillment_service");
        }
        "cost per item" | "variant cost" => return attribute("cost"),
        "variant tax code" | "tax code" => return attribute("tax_code"),
        "unit price total measure" => return attribute("unit_price.total_measure"),
        "unit price total measure unit" => return attribute("unit_price.total_measure_unit"),
        "unit price base measure" => return attribute("unit_price.base_measure"),
        "unit price base measure unit" => return attribute("unit_price.base_measure_unit"),
        _ => return None,
    })
}

/// `Option1 Name`, `option2 value`, `Option3 Linked To`.
fn numbered(lower: &str) -> Option<Column> {
    let rest = lower.strip_prefix("option")?;
    let number = rest.chars().next()?.to_digit(10)? as usize;
    if !(1..=5).contains(&number) {
        return None;
    }
    match rest[1..].trim() {
        "name" => Some(Column::OptionName(number - 1)),
        "value" => Some(Column::OptionValue(number - 1)),
        "linked to" => Some(Column::ProductAttribute(format!("option{number}.linked_to"))),
        _ => None,
    }
}

/// `Fabric (product.metafields.custom.fabric)`.
fn metafield(name: &str) -> Option<Column> {
    let inner = |kind: &str| {
        let start = name.find(&format!("{kind}.metafields."))?;
        let rest = &name[start + kind.len() + ".metafields.".len()..];
        let key = rest.split([')', ' ']).next().filter(|k| !k.is_empty())?;
        Some(format!("metafield.{key}"))
    };
    inner("variant")
        .map(Column::VariantAttribute)
        .or_else(|| inner("product").map(Column::ProductAttribute))
}

/// `Price / EUR`, `Title / de`, `Google Shopping / Age Group`, `Attribute / key`.
fn qualified(base: &str, suffix: &str) -> Option<Column> {
    let locale = || suffix.parse::<Locale>().ok();
    let currency = || suffix.to_uppercase().parse::<Currency>().ok();
    match base {
        "title" => locale().map(|l| Column::Title(Some(l))),
        "body (html)" | "description" => locale().map(|l| Column::Description(Some(l))),
        "seo title" => locale().map(|l| Column::SeoTitle(Some(l))),
        "seo description" => locale().map(|l| Column::SeoDescription(Some(l))),
        "image alt text" => locale().map(|l| Column::ImageAlt(Some(l))),
        "price" | "variant price" => currency().map(|c| Column::Price(Some(c))),
        "compare at price" | "compare-at price" | "variant compare at price" => {
            currency().map(|c| Column::CompareAt(Some(c)))
        }
        "google shopping" => {
            Some(Column::RowAttribute(format!("google_shopping.{}", snake(suffix))))
        }
        "attribute" => Some(Column::ProductAttribute(suffix.to_owned())),
        "variant attribute" => Some(Column::VariantAttribute(suffix.to_owned())),
        "image attribute" => Some(Column::ImageAttribute(suffix.to_owned())),
        _ => None,
    }
}

fn snake(text: &str) -> String {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect();
    match words.join("_").as_str() {
        // What the newer headers call differently.
        "manufacturer_part_number_mpn" => "mpn".to_owned(),
        "ad_group_name" => "adwords_grouping".to_owned(),
        "ads_labels" => "adwords_labels".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_and_newer_headers_mean_the_same() {
        for (older, newer) in [
            ("Handle", "URL handle"),
            ("Body (HTML)", "Description"),
            ("Published", "Published on online store"),
            ("Option1 Name", "Option1 name"),
            ("Variant Grams", "Weight value (grams)"),
            ("Variant Inventory Policy", "Continue selling when out of stock"),
            ("Variant Compare At Price", "Compare-at price"),
            ("Image Src", "Product image URL"),
            ("Variant Image", "Variant image URL"),
            ("Variant Taxable", "Charge tax"),
            ("Variant Fulfillment Service", "Fulfillment service"),
            ("Google Shopping / MPN", "Google Shopping / Manufacturer part number (MPN)"),
            ("Google Shopping / Age Group", "Google Shopping / Age group"),
        ] {
            assert_eq!(shopify(older), shopify(newer), "{older}");
            assert!(!shopify(newer).is_unknown(), "{newer}");
        }
    }

    #[test]
    fn qualified_names_carry_currency_locale_or_metafield() {
        assert_eq!(shopify("Price / EUR"), Column::Price(Some(Currency::EUR)));
        assert!(shopify("Price / International").is_unknown());
        assert_eq!(shopify("Title / de"), Column::Title(Some("de".parse().unwrap())));
        assert_eq!(
            shopify("Fabric (product.metafields.custom.fabric)"),
            Column::ProductAttribute("metafield.custom.fabric".into())
        );
        assert_eq!(
            shopify("Hue (variant.metafields.custom.hue)"),
            Column::VariantAttribute("metafield.custom.hue".into())
        );
        assert_eq!(shopify("Included / EU"), Column::RowAttribute("column.Included / EU".into()));
    }
}
