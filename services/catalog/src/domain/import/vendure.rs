//! A group of rows of a Vendure file: padded headers, lists by bars, locales after a colon,
//! facets as `Name:Value`, custom fields as `product:name` and `variant:name`.

use kernel::Locale;

use super::ImportOptions;
use super::cells::{Cell, Notes};
use super::columns::{Column, Layout, UNKNOWN, normal};
use super::groups::Group;
use super::incoming::{Incoming, ProductPatch, StockPatch, VariantPatch};
use super::rows::Record;
use super::shopify::{named, warn_of_twins};
use super::shopify_variant::{keep_negative, sku};
use crate::domain::TaxClass;
use crate::domain::product::limits;

/// The meaning of each header. Columns of the wanted locale stand for the ones without a locale
/// where those are missing.
pub(super) fn columns(names: &[String], locale: &Locale) -> Vec<Column> {
    let lower: Vec<String> = names.iter().map(|name| normal(name)).collect();
    names
        .iter()
        .zip(&lower)
        .map(|(name, lower_name)| {
            let Some((base, tag)) = lower_name.split_once(':') else {
                return plain(name, lower_name);
            };
            if matches!(base, "product" | "variant") {
                let field = name.split_once(':').map_or("", |(_, field)| field.trim());
                return custom(base, field);
            }
            let own = tag.parse::<Locale>().is_ok_and(|l| l.language() == locale.language());
            let first = || {
                let same = |n: &&String| n.split_once(':').is_some_and(|(b, _)| b == base);
                let wanted = |n: &&String| {
                    n.split_once(':').is_some_and(|(_, t)| {
                        t.parse::<Locale>().is_ok_and(|l| l.language() == locale.language())
                    })
                };
                !lower.iter().filter(same).any(|n| wanted(&n))
                    && lower.iter().find(same) == Some(lower_name)
            };
            let stands_in = !lower.iter().any(|n| n == base) && (own || first());
            match (stands_in, base, tag.parse::<Locale>().ok()) {
                (true, ..) => plain(name, base),
                (_, "name", Some(locale)) => Column::Title(Some(locale)),
                (_, "description", Some(locale)) => Column::Description(Some(locale)),
                _ => Column::RowAttribute(name.trim().to_owned()),
            }
        })
        .collect()
}

fn plain(name: &str, base: &str) -> Column {
    match base {
        "" => Column::Nameless,
        "name" => Column::Title(None),
        "slug" => Column::Handle,
        "description" => Column::Description(None),
        "assets" => Column::Images,
        "facets" => Column::Facets,
        "optiongroups" => Column::OptionNames,
        "optionvalues" => Column::OptionValues,
        "sku" => Column::Sku,
        "price" => Column::Price(None),
        "taxcategory" => Column::TaxClass,
        "stockonhand" => Column::Quantity,
        "trackinventory" => Column::Tracker,
        "variantassets" => Column::VariantImages,
        "variantfacets" => Column::VariantFacets,
        _ => Column::RowAttribute(format!("{UNKNOWN}{}", name.trim())),
    }
}

fn custom(base: &str, field: &str) -> Column {
    match base {
        "product" => Column::ProductAttribute(format!("custom.{field}")),
        _ => Column::VariantAttribute(format!("custom.{field}")),
    }
}

pub(super) fn parse(
    group: &Group,
    layout: &Layout,
    options: &ImportOptions,
    notes: &mut Notes<'_>,
) -> Option<Incoming> {
    let first = &group.records[0];
    let handle = named(group, layout, notes)?;
    if !group.titled {
        notes.row_error(
            first.line,
            Some("name"),
            "the first row has no name: whose variant is it?",
        );
        return None;
    }
    let mut incoming = Incoming {
        line: first.line,
        handle,
        product: Some(ProductPatch::default()),
        options: Some(Vec::new()),
        variants: Vec::new(),
        media: Vec::new(),
    };
    let mut patch = ProductPatch::default();
    for (index, column) in layout.columns.iter().enumerate() {
        let cell = Cell::of(first, index);
        product_cell(&mut incoming, &mut patch, column, cell, options, notes);
    }
    for record in &group.records {
        let variant = variant(record, group, layout, options, &mut incoming, &mut patch, notes);
        incoming.variants.push(variant);
    }
    warn_of_twins(&incoming.variants, notes);
    if let Some(tags) = &mut patch.tags {
        let mut seen = std::collections::BTreeSet::new();
        tags.retain(|tag| seen.insert(tag.clone()));
    }
    incoming.product = Some(patch);
    Some(incoming)
}

fn product_cell(
    incoming: &mut Incoming,
    patch: &mut ProductPatch,
    column: &Column,
    cell: Cell<'_>,
    options: &ImportOptions,
    notes: &mut Notes<'_>,
) {
    let locale = |l: &Option<Locale>| l.as_ref().unwrap_or(&options.locale).clone();
    match column {
        Column::Title(l) => patch.title.push((locale(l), notes.text(cell, limits::TITLE_CHARS))),
        Column::Description(l) => {
            let text = notes.text(cell, limits::DESCRIPTION_CHARS);
            patch.description.push((locale(l), text));
        }
        Column::Images => {
            for url in notes.addresses(cell) {
                incoming.picture(&url);
            }
        }
        Column::Facets => {
            patch.tags.get_or_insert_default();
            facets(cell, notes, |name, value| {
                note_facet(patch, name, value);
                add_value(&mut patch.attributes, &format!("facet.{name}"), value);
            });
        }
        Column::OptionNames => incoming.options = Some(cell.list('|')),
        Column::ProductAttribute(key) | Column::RowAttribute(key) => {
            patch.attributes.push((key.clone(), notes.text(cell, limits::ATTRIBUTE_CHARS)));
        }
        Column::Nameless if !cell.is_empty() => {
            patch.attributes.push((format!("{UNKNOWN}#{}", cell.index + 1), cell.owned()));
        }
        _ => {}
    }
}

/// A facet makes the product findable: its value is a tag, a brand is the vendor, a category is
/// one.
fn note_facet(patch: &mut ProductPatch, name: &str, value: &str) {
    // Tags are written in a list with commas.
    patch.tags.get_or_insert_default().push(value.replace(',', " "));
    if name.eq_ignore_ascii_case("brand") && patch.vendor.is_none() {
        patch.vendor = Some(value.to_owned());
    }
    if name.eq_ignore_ascii_case("category") && kernel::Handle::from_title(value).is_some() {
        let path = vec![value.to_owned()];
        if !patch.categories.contains(&path) {
            patch.categories.push(path);
        }
    }
}

fn facets(cell: Cell<'_>, notes: &mut Notes<'_>, mut each: impl FnMut(&str, &str)) {
    for facet in cell.text.split('|').map(str::trim).filter(|f| !f.is_empty()) {
        match facet.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
                if facet.chars().count() > limits::WORD_CHARS {
                    notes.error(cell, "a facet has at most 255 characters");
                }
                each(name.trim(), value.trim());
            }
            _ => notes.error(cell, "facets look like Name:Value|Name:Value"),
        }
    }
}

/// Several values under one key are joined by a bar.
fn add_value(pairs: &mut Vec<(String, String)>, key: &str, value: &str) {
    match pairs.iter_mut().find(|(k, _)| k == key) {
        Some((_, all)) => {
            all.push('|');
            all.push_str(value);
        }
        None => pairs.push((key.to_owned(), value.to_owned())),
    }
}

fn variant(
    record: &Record,
    group: &Group,
    layout: &Layout,
    options: &ImportOptions,
    incoming: &mut Incoming,
    patch: &mut ProductPatch,
    notes: &mut Notes<'_>,
) -> VariantPatch {
    let top = &group.records[0];
    let first = record.line == top.line;
    let differs = |cell: Cell<'_>| !cell.is_empty() && cell.text != top.cell(cell.index).trim();
    let mut variant = VariantPatch::new(record.line);
    let mut tracked = true;
    let mut quantity = None;
    for (index, column) in layout.columns.iter().enumerate() {
        let cell = Cell::of(record, index);
        match column {
            Column::OptionValues => option_values(cell, &mut variant, incoming, notes),
            Column::Sku => variant.sku = Some(sku(cell, notes)),
            Column::Price(_) => {
                let amount = notes.amount(cell, options.currency);
                variant.price(options.currency).amount_minor = Some(amount);
            }
            Column::TaxClass => tax_class(cell, &mut variant, notes),
            Column::Quantity => quantity = Some(cell),
            Column::Tracker => tracked = track(cell, &mut variant, notes),
            Column::VariantImages => {
                let urls = notes.addresses(cell);
                for url in &urls {
                    incoming.picture(url);
                }
                variant.media = Some(urls);
            }
            Column::VariantFacets => facets(cell, notes, |name, value| {
                note_facet(patch, name, value);
                add_value(&mut variant.attributes, &format!("facet.{name}"), value);
            }),
            Column::VariantAttribute(key) => {
                let text = notes.text(cell, limits::ATTRIBUTE_CHARS);
                variant.attributes.push((key.clone(), text));
            }
            Column::RowAttribute(key) if !first && !cell.is_empty() => {
                let text = notes.text(cell, limits::ATTRIBUTE_CHARS);
                variant.attributes.push((key.clone(), text));
            }
            Column::ProductAttribute(key) if !first && differs(cell) => {
                let text = notes.text(cell, limits::ATTRIBUTE_CHARS);
                variant.attributes.push((key.clone(), text));
            }
            Column::Title(_)
            | Column::Description(_)
            | Column::Images
            | Column::Facets
            | Column::OptionNames
            | Column::Handle
                if !first && differs(cell) =>
            {
                notes.warn(cell, "belongs into the first row of a product; not imported");
            }
            _ => {}
        }
    }
    let mut on_hand = 0;
    if let Some(cell) = quantity {
        on_hand = notes.count(cell).unwrap_or(0);
        keep_negative(cell, tracked, &mut on_hand, &mut variant, notes);
    }
    if quantity.is_some() || (layout.has(&Column::Tracker) && !tracked) {
        variant.stock = Some(StockPatch { on_hand, tracked, backorder: false });
    }
    variant
}

fn option_values(
    cell: Cell<'_>,
    variant: &mut VariantPatch,
    incoming: &Incoming,
    notes: &mut Notes<'_>,
) {
    variant.options = cell
        .text
        .split('|')
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .collect();
    let names = incoming.options.as_ref().map_or(0, Vec::len);
    if variant.options.len() != names {
        let found = variant.options.len();
        notes.error(cell, format!("holds {found} values for {names} option groups"));
    }
}

/// A class named otherwise than in our words is kept aside as it was.
fn tax_class(cell: Cell<'_>, variant: &mut VariantPatch, notes: &mut Notes<'_>) {
    if cell.is_empty() {
        return;
    }
    match TaxClass::from_name(cell.text) {
        Some(class) => {
            if class.as_str() != cell.text {
                variant.attributes.push(("tax_category".to_owned(), cell.owned()));
            }
            variant.tax_class = Some(class);
        }
        None => notes.error(cell, "is a word of at most 32 letters, such as standard"),
    }
}

/// `true`, `false`, or `inherit` or nothing: then the shop's own setting holds, which is to count.
fn track(cell: Cell<'_>, variant: &mut VariantPatch, notes: &mut Notes<'_>) -> bool {
    if cell.text.eq_ignore_ascii_case("inherit") {
        variant.attributes.push(("inventory_tracker".to_owned(), cell.owned()));
        return true;
    }
    cell.is_empty() || notes.flag(cell).unwrap_or(false)
}
