//! What becomes of a stored product when a file speaks of it.
//!
//! A variant is recognised by its option values, then by its SKU, and keeps its id; a picture by
//! its address. What the file does not mention stays. Only when the file names another number of
//! options do variants go that it does not mention, for they cannot be described any more.

use std::collections::{BTreeMap, HashMap, HashSet};

use kernel::{Locale, LocalizedText, Timestamp};

use super::incoming::{Incoming, MediaPatch, Pairs, PricePatch, ProductPatch, Texts, VariantPatch};
use super::report::RowError;
use crate::domain::{
    CategoryId, Media, MediaId, Price, Product, ProductOption, Status, TaxClass, Variant, VariantId,
};

/// A product as it is after the import.
#[derive(Debug)]
pub struct Merged {
    pub product: Product,
    /// The variant that each row of the file ended in; `None` for rows that describe none.
    pub variants: Vec<Option<VariantId>>,
    /// False when the file says what is stored.
    pub changed: bool,
}

/// Applies what a file says to what is stored, if anything. `categories` are those that the
/// file's paths lead to.
pub fn merge(
    existing: Option<&Product>,
    incoming: &Incoming,
    categories: &[CategoryId],
    locale: &Locale,
    now: Timestamp,
) -> Result<Merged, Vec<RowError>> {
    let mut product = match (existing, &incoming.product) {
        (Some(existing), _) => existing.clone(),
        (None, Some(_)) => Product::new(incoming.handle.clone(), now),
        (None, None) => {
            let message = "a new product needs a title, and no row above gives one";
            return Err(vec![RowError::new(
                incoming.line,
                None,
                incoming.handle.as_str(),
                message,
            )]);
        }
    };
    if let Some(patch) = &incoming.product {
        describe(&mut product, patch, existing.is_none(), now);
        for category in categories {
            if !product.categories.contains(category) {
                product.categories.push(*category);
            }
        }
    }
    merge_media(&mut product, &incoming.media);
    let variants = merge_variants(&mut product, incoming, existing.is_none())?;
    let changed = existing.is_none_or(|existing| !existing.same_content(&product));
    if changed {
        // What is stored was checked when it was stored.
        check(&product, incoming, &variants, locale)?;
        product.updated_at = now;
    }
    Ok(Merged { product, variants, changed })
}

fn describe(product: &mut Product, patch: &ProductPatch, new: bool, now: Timestamp) {
    apply_texts(&mut product.title, &patch.title);
    apply_texts(&mut product.description, &patch.description);
    apply_texts(&mut product.seo.title, &patch.seo_title);
    apply_texts(&mut product.seo.description, &patch.seo_description);
    apply_word(&mut product.vendor, patch.vendor.as_ref());
    apply_word(&mut product.product_type, patch.product_type.as_ref());
    if let Some(tags) = &patch.tags {
        product.tags.clone_from(tags);
    }
    apply_pairs(&mut product.attributes, &patch.attributes);
    let status = patch.status.or_else(|| new.then_some(Status::Published));
    if let Some(status) = status {
        product.set_status(status, now);
    }
}

fn apply_texts(text: &mut LocalizedText, patch: &Texts) {
    for (locale, value) in patch {
        if value.is_empty() {
            text.0.remove(locale);
        } else if text.0.get(locale) != Some(value) {
            text.0.insert(locale.clone(), value.clone());
        }
    }
}

fn apply_word(word: &mut Option<String>, patch: Option<&String>) {
    if let Some(patch) = patch {
        *word = Some(patch.clone()).filter(|w| !w.is_empty());
    }
}

fn apply_pairs(attributes: &mut BTreeMap<String, String>, patch: &Pairs) {
    for (key, value) in patch {
        if value.is_empty() {
            attributes.remove(key);
        } else if attributes.get(key) != Some(value) {
            attributes.insert(key.clone(), value.clone());
        }
    }
}

fn merge_media(product: &mut Product, patches: &[MediaPatch]) {
    let mut order: Vec<MediaId> = Vec::with_capacity(patches.len());
    let known = product.media.len();
    for patch in patches {
        let index = product.media.iter().position(|m| m.url == patch.url).unwrap_or_else(|| {
            product.media.push(Media {
                id: patch.id,
                url: patch.url.clone(),
                alt: LocalizedText::default(),
                attributes: BTreeMap::new(),
            });
            product.media.len() - 1
        });
        let media = &mut product.media[index];
        apply_texts(&mut media.alt, &patch.alt);
        apply_pairs(&mut media.attributes, &patch.attributes);
        order.push(media.id);
    }
    reorder(&mut product.media, known, &order, |m| m.id);
}

/// The order of the file, if it speaks of all that was there; else what was there stays in place
/// and what is new comes after it.
fn reorder<T, K: Copy + Eq + std::hash::Hash>(
    items: &mut [T],
    known: usize,
    order: &[K],
    key: impl Fn(&T) -> K,
) {
    let rank: HashMap<K, usize> = order.iter().enumerate().map(|(i, k)| (*k, i)).collect();
    if items[..known].iter().all(|item| rank.contains_key(&key(item))) {
        items.sort_by_key(|item| rank.get(&key(item)).copied().unwrap_or(usize::MAX));
    }
}

fn merge_variants(
    product: &mut Product,
    incoming: &Incoming,
    new: bool,
) -> Result<Vec<Option<VariantId>>, Vec<RowError>> {
    let before = product.options.len();
    if let Some(names) = &incoming.options {
        product.options = names.iter().map(|n| ProductOption { name: n.clone() }).collect();
    }
    let names = product.options.len();
    let strong = incoming.variants.iter().any(|v| !v.weak);
    let skipped = |patch: &VariantPatch| patch.weak && (strong || (names > 0 && !new));
    let matches = match_variants(product, incoming, skipped);
    let urls: HashMap<String, MediaId> =
        product.media.iter().map(|m| (m.url.clone(), m.id)).collect();
    let gift_card = product.variants.first().is_some_and(|v| v.gift_card);
    let known = product.variants.len();
    let mut errors = Vec::new();
    let mut touched = Vec::with_capacity(incoming.variants.len());
    for (patch, found) in incoming.variants.iter().zip(matches) {
        if skipped(patch) {
            touched.push(None);
            continue;
        }
        let index = found.unwrap_or_else(|| {
            let mut variant = Variant::new(patch.id);
            variant.gift_card = gift_card;
            product.variants.push(variant);
            product.variants.len() - 1
        });
        let variant = &mut product.variants[index];
        if !patch.options.is_empty() || names == 0 {
            variant.options.clone_from(&patch.options);
        }
        if variant.options.len() != names {
            let message = format!("the variant needs a value for each of {names} options");
            errors.push(RowError::new(patch.line, None, &patch.options.join(" / "), message));
        }
        apply_variant(variant, patch, &urls);
        touched.push(Some(variant.id));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let order: Vec<VariantId> = touched.iter().copied().flatten().collect();
    reorder(&mut product.variants, known, &order, |v| v.id);
    if before != names && incoming.options.is_some() && !order.is_empty() {
        let told: HashSet<VariantId> = order.into_iter().collect();
        product.variants.retain(|v| told.contains(&v.id));
    }
    Ok(touched)
}

/// The stored variant for each row: by option values, then by SKU; each at most once.
fn match_variants(
    product: &Product,
    incoming: &Incoming,
    skipped: impl Fn(&VariantPatch) -> bool,
) -> Vec<Option<usize>> {
    let mut by_options: HashMap<&[String], Vec<usize>> = HashMap::new();
    let mut by_sku: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, variant) in product.variants.iter().enumerate().rev() {
        by_options.entry(&variant.options).or_default().push(index);
        if let Some(sku) = &variant.sku {
            by_sku.entry(sku.as_str()).or_default().push(index);
        }
    }
    let mut used = HashSet::new();
    let mut matches = vec![None; incoming.variants.len()];
    for (place, patch) in matches.iter_mut().zip(&incoming.variants) {
        if !skipped(patch)
            && let Some(twins) = by_options.get_mut(patch.options.as_slice())
            && let Some(index) = twins.pop()
        {
            used.insert(index);
            *place = Some(index);
        }
    }
    for (place, patch) in matches.iter_mut().zip(&incoming.variants) {
        if let (None, Some(Some(sku)), false) = (&place, &patch.sku, skipped(patch)) {
            let twins = by_sku.get(sku.as_str()).map_or(&[][..], Vec::as_slice);
            if let Some(index) = twins.iter().rev().find(|i| !used.contains(*i)) {
                used.insert(*index);
                *place = Some(*index);
            }
        }
    }
    matches
}

fn apply_variant(variant: &mut Variant, patch: &VariantPatch, urls: &HashMap<String, MediaId>) {
    if let Some(sku) = &patch.sku {
        variant.sku.clone_from(sku);
    }
    apply_word(&mut variant.barcode, patch.barcode.as_ref());
    apply_pairs(&mut variant.attributes, &patch.attributes);
    for price in &patch.prices {
        apply_price(variant, price);
    }
    if let Some(grams) = patch.weight_grams {
        variant.weight_grams = grams;
    }
    if let Some(unit) = patch.weight_unit {
        variant.weight_unit = unit;
    }
    match (&patch.tax_class, patch.taxable) {
        (Some(class), _) => variant.tax_class = class.clone(),
        (None, Some(false)) => variant.tax_class = TaxClass::none(),
        (None, Some(true)) if variant.tax_class.is_none() => {
            variant.tax_class = TaxClass::default();
        }
        _ => {}
    }
    variant.requires_shipping = patch.requires_shipping.unwrap_or(variant.requires_shipping);
    variant.gift_card = patch.gift_card.unwrap_or(variant.gift_card);
    if let Some(media) = &patch.media {
        variant.media = media.iter().filter_map(|url| urls.get(url).copied()).collect();
    }
}

/// A price to compare with needs a price; without one it is kept aside.
fn apply_price(variant: &mut Variant, patch: &PricePatch) {
    let stored = variant.price(patch.currency).cloned();
    let amount = match patch.amount_minor {
        Some(amount) => amount,
        None => stored.as_ref().map(|p| p.amount_minor),
    };
    let compare_at_minor = match patch.compare_at_minor {
        Some(compare_at) => compare_at,
        None => stored.as_ref().and_then(|p| p.compare_at_minor),
    };
    variant.prices.retain(|p| p.currency != patch.currency);
    let currency = patch.currency;
    if let Some(amount_minor) = amount {
        let at = variant.prices.partition_point(|p| p.currency < currency);
        variant.prices.insert(at, Price { amount_minor, currency, compare_at_minor });
    } else if let Some(compare_at) = compare_at_minor {
        let text = kernel::Money::new(compare_at, currency).to_decimal();
        variant.attributes.insert(format!("compare_at.{currency}"), text);
    }
}

/// The product's own rules; a broken one is told with the line of its row.
fn check(
    product: &Product,
    incoming: &Incoming,
    touched: &[Option<VariantId>],
    locale: &Locale,
) -> Result<(), Vec<RowError>> {
    product.check().map_err(|faults| {
        let title = product.title.choose(&[], locale);
        let line = |field: &str| {
            let number = field.strip_prefix("variants[")?.split(']').next()?;
            let id = product.variants.get(number.parse::<usize>().ok()?)?.id;
            let row = touched.iter().position(|t| *t == Some(id))?;
            Some(incoming.variants[row].line)
        };
        faults
            .into_iter()
            .map(|fault| {
                let line = line(&fault.field).unwrap_or(incoming.line);
                RowError::new(line, None, title, format!("{}: {}", fault.field, fault.message))
            })
            .collect()
    })
}
