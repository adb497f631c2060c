//! What the projections keep of a product, the same on every engine.

use std::collections::{BTreeMap, BTreeSet};

use ahash::AHashSet;
use kernel::{Currency, Locale, Sku};

use crate::domain::Product;
use crate::domain::text::{fold, hash, plain, words};

/// What a published product is found and sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub title_key: String,
    /// Lowest and highest price by currency.
    pub prices: BTreeMap<Currency, (i64, i64)>,
    pub labels: Labels,
    pub words: Words,
}

/// Names by kind and folded label: a product that has a tag twice, in two letter cases, has it once.
pub(super) type Labels = BTreeMap<(char, String), String>;

/// What search knows of a product: folded words, each once, joined by blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub title: String,
    /// Those of SKUs, barcodes, tags, vendor, type and description that the title does not hold.
    pub other: String,
    /// Those that typing errors are looked up among.
    pub vocabulary: BTreeSet<String>,
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
        let mut labels = Labels::new();
        for tag in &product.tags {
            labels.entry((TAG, label(tag))).or_insert_with(|| name(tag));
        }
        if let Some(vendor) = &product.vendor {
            labels.insert((VENDOR, label(vendor)), name(vendor));
        }
        for category in &product.categories {
            let id = category.uuid().simple().to_string();
            labels.insert((CATEGORY, id.clone()), id);
        }
        Self {
            title_key: fold(product.title.choose(&[], locale)),
            prices,
            labels,
            words: Words::of(product),
        }
    }

    /// The labels as one text; see [`labels_of`].
    pub fn labels_text(&self) -> String {
        let mut text = String::new();
        for ((kind, _), name) in &self.labels {
            text.push(*kind);
            text.push_str(name);
            text.push('\n');
        }
        text
    }
}

/// A name as one line: what [`Row::labels_text`] can hold.
fn name(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// What two spellings of a label have in common.
pub(super) fn label(text: &str) -> String {
    fold(&name(text))
}

/// Kinds and names that [`Row::labels_text`] has written.
pub(super) fn labels_of(text: &str) -> impl Iterator<Item = (char, &str)> {
    text.split_terminator('\n').filter_map(|entry| {
        let kind = entry.chars().next()?;
        Some((kind, &entry[kind.len_utf8()..]))
    })
}

impl Words {
    fn of(product: &Product) -> Self {
        let mut title = String::new();
        for text in product.title.0.values() {
            title.push_str(&fold(text));
            title.push(' ');
        }
        let mut label = String::new();
        let own = [&product.vendor, &product.product_type];
        for text in product.tags.iter().chain(own.into_iter().flatten()) {
            label.push_str(&fold(text));
            label.push(' ');
        }
        let mut rest = String::new();
        let skus = product.variants.iter().filter_map(|v| v.sku.as_ref()).map(Sku::as_str);
        let barcodes = product.variants.iter().filter_map(|v| v.barcode.as_deref());
        for text in skus.chain(barcodes) {
            if rest.len() < SKU_BYTES {
                rest.push_str(&fold(text));
                rest.push(' ');
            }
        }
        for text in product.description.0.values() {
            let end = text.floor_char_boundary(DESCRIPTION_BYTES);
            rest.push_str(&fold(&plain(&text[..end])));
            rest.push(' ');
        }
        let mut seen = AHashSet::new();
        let vocabulary = words(&title).chain(words(&label));
        let vocabulary = vocabulary.filter(|word| is_vocabulary(word)).map(str::to_owned).collect();
        Self {
            title: once_each(words(&title), &mut seen),
            other: once_each(words(&label).chain(words(&rest)), &mut seen),
            vocabulary,
        }
    }

    pub fn hash(&self) -> i64 {
        hash([self.title.as_str(), &self.other])
    }
}

fn once_each<'a>(words: impl Iterator<Item = &'a str>, seen: &mut AHashSet<&'a str>) -> String {
    let mut text = String::new();
    for word in words {
        if seen.insert(word) {
            text.push_str(word);
            text.push(' ');
        }
    }
    text
}

fn is_vocabulary(word: &str) -> bool {
    word.len() >= 4
        && word.len() <= 128
        && (4..=32).contains(&word.chars().count())
        && word.chars().all(char::is_alphabetic)
}
