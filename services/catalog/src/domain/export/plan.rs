//! Which columns an export needs: found out by looking at every product once.

use std::collections::BTreeSet;

use kernel::{Currency, Locale, LocalizedText};

use crate::domain::Product;
use crate::domain::import::columns::{Column, UNKNOWN, shopify};

/// The columns of an export.
#[derive(Clone, Debug)]
pub struct Plan {
    pub currency: Currency,
    pub locale: Locale,
    pub(super) currencies: BTreeSet<Currency>,
    pub(super) locales: BTreeSet<Locale>,
    pub(super) options: usize,
    pub(super) categories: bool,
    pub(super) tax_classes: bool,
    pub(super) variant_images: bool,
    pub(super) attributes: BTreeSet<String>,
    pub(super) variant_attributes: BTreeSet<String>,
    pub(super) image_attributes: BTreeSet<String>,
}

/// Attributes that have a column of their own.
const PLACED: [&str; 1] = ["product_category"];
const VARIANT_PLACED: [&str; 5] =
    ["fulfillment_service", "tax_code", "cost", "weight.exact", "inventory_tracker"];

impl Plan {
    /// `currency` and `locale` are those of the columns that name none.
    pub fn new(currency: Currency, locale: Locale) -> Self {
        Self {
            currency,
            locale,
            currencies: BTreeSet::new(),
            locales: BTreeSet::new(),
            options: 3,
            categories: false,
            tax_classes: false,
            variant_images: false,
            attributes: BTreeSet::new(),
            variant_attributes: BTreeSet::new(),
            image_attributes: BTreeSet::new(),
        }
    }

    /// Makes room for everything that `product` holds.
    pub fn observe(&mut self, product: &Product) {
        for text in
            [&product.title, &product.description, &product.seo.title, &product.seo.description]
        {
            self.observe_text(text);
        }
        self.options = self.options.max(product.options.len());
        self.categories |= !product.categories.is_empty();
        collect(&mut self.attributes, product.attributes.keys(), &PLACED);
        for media in &product.media {
            self.observe_text(&media.alt);
            collect(&mut self.image_attributes, media.attributes.keys(), &[]);
        }
        for variant in &product.variants {
            for price in variant.prices.iter().filter(|p| p.currency != self.currency) {
                self.currencies.insert(price.currency);
            }
            self.tax_classes |= !matches!(variant.tax_class.as_str(), "standard" | "none");
            self.variant_images |= variant.media.len() > 1;
            collect(&mut self.variant_attributes, variant.attributes.keys(), &VARIANT_PLACED);
        }
    }

    fn observe_text(&mut self, text: &LocalizedText) {
        for locale in text.0.keys().filter(|locale| **locale != self.locale) {
            if !self.locales.contains(locale) {
                self.locales.insert(locale.clone());
            }
        }
    }

    /// The header row.
    pub fn header(&self) -> Vec<String> {
        let mut header: Vec<String> = [
            "Handle",
            "Title",
            "Body (HTML)",
            "Vendor",
            "Product Category",
            "Type",
            "Tags",
            "Published",
        ]
        .map(str::to_owned)
        .into();
        for number in 1..=self.options {
            header.push(format!("Option{number} Name"));
            header.push(format!("Option{number} Value"));
        }
        header.extend(
            [
                "Variant SKU",
                "Variant Grams",
                "Variant Inventory Tracker",
                "Variant Inventory Qty",
                "Variant Inventory Policy",
                "Variant Fulfillment Service",
                "Variant Price",
                "Variant Compare At Price",
                "Variant Requires Shipping",
                "Variant Taxable",
                "Variant Barcode",
                "Image Src",
                "Image Position",
                "Image Alt Text",
                "Gift Card",
                "SEO Title",
                "SEO Description",
                "Variant Image",
                "Variant Weight Unit",
                "Variant Tax Code",
                "Cost per item",
                "Status",
            ]
            .map(str::to_owned),
        );
        for (wanted, name) in [
            (self.categories, "Categories"),
            (self.tax_classes, "Variant Tax Class"),
            (self.variant_images, "Variant Images"),
        ] {
            if wanted {
                header.push(name.to_owned());
            }
        }
        for currency in &self.currencies {
            header.push(format!("Price / {currency}"));
            header.push(format!("Compare At Price / {currency}"));
        }
        for locale in &self.locales {
            for name in ["Title", "Body (HTML)", "SEO Title", "SEO Description", "Image Alt Text"] {
                header.push(format!("{name} / {locale}"));
            }
        }
        header.extend(self.attributes.iter().map(|key| product_header(key)));
        header.extend(self.variant_attributes.iter().map(|key| variant_header(key)));
        header.extend(self.image_attributes.iter().map(|key| format!("Image Attribute / {key}")));
        header.iter().map(|name| super::guard(name)).collect()
    }
}

fn collect<'a>(
    set: &mut BTreeSet<String>,
    keys: impl Iterator<Item = &'a String>,
    placed: &[&str],
) {
    for key in keys {
        if !placed.contains(&key.as_str()) && !set.contains(key) {
            set.insert(key.clone());
        }
    }
}

/// The header under which an attribute of a product is written: the one it came from where our
/// importer takes it back to the same key.
fn product_header(key: &str) -> String {
    let leads_back = |header: &str| match shopify(header) {
        Column::ProductAttribute(k) | Column::RowAttribute(k) => k == key,
        Column::CategoryPath(k) => k == key,
        _ => false,
    };
    let candidate = if let Some(name) = key.strip_prefix(UNKNOWN) {
        name.to_owned()
    } else if let Some(name) = key.strip_prefix("google_shopping.") {
        format!("Google Shopping / {}", capitalised(name))
    } else if let Some(name) = key.strip_prefix("metafield.") {
        format!("{name} (product.metafields.{name})")
    } else {
        capitalised(&key.replace('.', "_"))
    };
    if leads_back(&candidate) { candidate } else { format!("Attribute / {key}") }
}

fn variant_header(key: &str) -> String {
    let leads_back =
        |header: &str| matches!(shopify(header), Column::VariantAttribute(k) if k == key);
    let candidate = if let Some(name) = key.strip_prefix(UNKNOWN) {
        name.to_owned()
    } else if let Some(name) = key.strip_prefix("metafield.") {
        format!("{name} (variant.metafields.{name})")
    } else {
        capitalised(&key.replace('.', "_"))
    };
    if leads_back(&candidate) { candidate } else { format!("Variant Attribute / {key}") }
}

/// `age_group` as `Age Group`.
fn capitalised(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    });
    words.collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_go_back_under_the_headers_they_came_from() {
        assert_eq!(product_header("google_shopping.age_group"), "Google Shopping / Age Group");
        assert_eq!(product_header("column.Story"), "Story");
        assert_eq!(product_header("column.Handle"), "Attribute / column.Handle");
        assert_eq!(
            product_header("metafield.custom.fabric"),
            "custom.fabric (product.metafields.custom.fabric)"
        );
        assert_eq!(product_header("option1.linked_to"), "Option1 Linked To");
        assert_eq!(product_header("facet.Brand"), "Attribute / facet.Brand");
        assert_eq!(variant_header("unit_price.total_measure"), "Unit Price Total Measure");
        assert_eq!(variant_header("column.Variant Hue"), "Variant Hue");
    }
}
