//! What the projections keep of a product, the same on every engine.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Currency, Locale};

use crate::domain::Product;
use crate::domain::text::{fold, plain, words};

/// What a published product is found and sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub title_key: String,
    /// Lowest and highest price by currency.
    pub prices: BTreeMap<Currency, (i64, i64)>,
    /// Kind, folded label, name.
    pub labels: BTreeSet<(char, String, String)>,
    pub words: Words,
}

/// What search knows of a product, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub title: String,
    pub sku: String,
    pub label: String,
    pub description: String,
}

pub(super) const TAG: char = 't';
pub(super) const VENDOR: char = 'v';
pub(super) const CATEGORY: char = 'c';

/// Nobody searches for what stands behind this much of a description.
const DESCRIPTION_BYTES: usize = 8 << 10;
/// A product's SKUs are searched up to this many bytes.
const SKU_BYTES: usize = 64 << 10;

impl Row {
    pub fn of(product: &Product, locale: &Locale) -> Self {
        let mut prices: BTreeMap<Currency, (i64, i64)> = BTreeMap::new();
        for price in product.variants.iter().flat_map(|v| &v.prices) {
            let amount = price.amount_minor;
            let range = prices.entry(price.currency).or_insert((amount, amount));
            *range = (range.0.min(amount), range.1.max(amount));
        }
        let mut labels = BTreeSet::new();
        for tag in &product.tags {
            labels.insert((TAG, fold(tag), tag.clone()));
        }
        if let Some(vendor) = &product.vendor {
            labels.insert((VENDOR, fold(vendor), vendor.clone()));
        }
        for category in &product.categories {
            let id = category.uuid().simple().to_string();
            labels.insert((CATEGORY, id, String::new()));
        }
        Self {
            title_key: fold(product.title.choose(&[], locale)),
            prices,
            labels,
            words: Words::of(product),
        }
    }
}

impl Words {
    fn of(product: &Product) -> Self {
        let title: Vec<&str> = product.title.0.values().map(String::as_str).collect();
        let mut sku = String::new();
        for text in product.variants.iter().filter_map(|v| v.sku.as_ref()) {
            if sku.len() < SKU_BYTES {
                sku.push_str(text.as_str());
                sku.push(' ');
            }
        }
        for text in product.variants.iter().filter_map(|v| v.barcode.as_ref()) {
            if sku.len() < SKU_BYTES {
                sku.push_str(text);
                sku.push(' ');
            }
        }
        let mut label = product.tags.join(" ");
        for word in [&product.vendor, &product.product_type].into_iter().flatten() {
            label.push(' ');
            label.push_str(word);
        }
        let mut description = String::new();
        for text in product.description.0.values() {
            let mut end = text.len().min(DESCRIPTION_BYTES);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            description.push_str(&plain(&text[..end]));
            description.push(' ');
        }
        Self {
            title: fold(&title.join(" ")),
            sku: fold(&sku),
            label: fold(&label),
            description: fold(&description),
        }
    }

    /// FNV-1a (64 bit): stable over processes and versions, for it is stored.
    pub fn hash(&self) -> i64 {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for text in [&self.title, &self.sku, &self.label, &self.description] {
            for byte in text.bytes().chain([0xff]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        hash.cast_signed()
    }

    /// Words that a typing error is looked up among.
    pub fn vocabulary(&self) -> BTreeSet<String> {
        words(&self.title)
            .chain(words(&self.label))
            .filter(|word| {
                (4..=32).contains(&word.chars().count()) && word.chars().all(char::is_alphabetic)
            })
            .collect()
    }
}
