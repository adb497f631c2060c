//! What one row of a Shopify file says of a variant.

use kernel::Sku;

use super::ImportOptions;
use super::cells::{Cell, Notes};
use super::columns::Column;
use super::incoming::{StockPatch, VariantPatch};
use super::rows::Record;
use super::shopify::Reader;
use crate::domain::product::limits;
use crate::domain::{TaxClass, WeightUnit};

impl Reader<'_, '_> {
    /// The variant that a row describes.
    pub(super) fn variant(&mut self, record: &Record, weak: bool) -> VariantPatch {
        let mut variant = VariantPatch::new(record.line);
        variant.weak = weak;
        self.option_values(record, &mut variant);
        for (index, column) in self.layout.columns.iter().enumerate() {
            let cell = Cell::of(record, index);
            variant_cell(&mut variant, column, cell, self.options, self.notes);
        }
        self.weight(record, &mut variant);
        variant.stock = self.stock(record, &mut variant);
        for url in variant.media.iter().flatten() {
            self.incoming.picture(url);
        }
        variant
    }

    fn option_values(&mut self, record: &Record, variant: &mut VariantPatch) {
        if self.incoming.options.as_ref().is_some_and(Vec::is_empty) {
            return;
        }
        for (index, column) in self.layout.columns.iter().enumerate() {
            let Column::OptionValue(number) = column else { continue };
            let cell = Cell::of(record, index);
            if cell.is_empty() {
                continue;
            }
            if self.incoming.options.as_ref().is_some_and(|names| names.len() <= *number) {
                self.notes.error(cell, format!("option {} has no name", number + 1));
                continue;
            }
            let values = &mut variant.options;
            values.resize(values.len().max(number + 1), String::new());
            values[*number] = self.notes.text(cell, limits::OPTION_CHARS);
        }
        let names = self.incoming.options.as_ref().map_or(variant.options.len(), Vec::len);
        let missing = (0..names).find(|n| variant.options.get(*n).is_none_or(String::is_empty));
        if let Some(missing) = missing.filter(|_| !variant.weak) {
            let column = self.layout.find(&Column::OptionValue(missing));
            let name = column.and_then(|index| self.layout.name(index));
            self.notes.row_error(
                record.line,
                name,
                format!("the variant has no value for option {}", missing + 1),
            );
        }
    }

    /// Grams, from either column. A fraction of a gram is kept aside.
    fn weight(&mut self, record: &Record, variant: &mut VariantPatch) {
        let grams = self.cell(record, &Column::Grams).filter(|c| !c.is_empty());
        let other = self.cell(record, &Column::Weight).filter(|c| !c.is_empty());
        if grams.is_none() && other.is_none() {
            if self.layout.has(&Column::Grams) {
                variant.weight_grams = Some(0);
            }
            return;
        }
        let unit = match (grams, variant.weight_unit.flatten()) {
            (None, Some(unit)) => unit,
            _ => WeightUnit::G,
        };
        let Some(cell) = grams.or(other) else { return };
        let Some(millionths) = self.notes.decimal(cell) else { return };
        let micrograms = u128::from(millionths) * u128::from(unit.micrograms()) / 1_000_000;
        let whole = ((micrograms + 500_000) / 1_000_000) as u64;
        match u32::try_from(whole).ok().filter(|g| *g <= limits::WEIGHT_GRAMS) {
            Some(whole) => variant.weight_grams = Some(whole),
            None => self.notes.error(cell, "weighs at most 100,000 kg"),
        }
        if micrograms % 1_000_000 != 0 {
            variant.attributes.push(("weight.exact".to_owned(), cell.owned()));
        }
    }

    fn stock(&mut self, record: &Record, variant: &mut VariantPatch) -> Option<StockPatch> {
        let tracker = self.cell(record, &Column::Tracker);
        let quantity = self.cell(record, &Column::Quantity);
        let backorder = self.cell(record, &Column::Backorder);
        let told = [tracker, quantity, backorder].into_iter().flatten().any(|c| !c.is_empty());
        if !told {
            return None;
        }
        let tracked = tracker.is_none_or(|cell| !cell.is_empty());
        if let Some(cell) = tracker
            && !cell.text.eq_ignore_ascii_case("shopify")
        {
            variant.attributes.push(("inventory_tracker".to_owned(), cell.owned()));
        }
        let backorder = match backorder {
            Some(cell) => match cell.text.to_ascii_lowercase().as_str() {
                "continue" => true,
                "" | "deny" => false,
                _ => self.notes.flag(cell).unwrap_or(false),
            },
            None => false,
        };
        let mut on_hand = 0;
        if let Some(cell) = quantity {
            on_hand = self.notes.count(cell).unwrap_or(0);
            keep_negative(cell, tracked, &mut on_hand, variant, self.notes);
        }
        Some(StockPatch { on_hand, tracked, backorder })
    }
}

/// A count below zero: as told where nobody counts, else zero with the figure kept aside.
pub(super) fn keep_negative(
    cell: Cell<'_>,
    tracked: bool,
    on_hand: &mut i64,
    variant: &mut VariantPatch,
    notes: &mut Notes<'_>,
) {
    if *on_hand >= 0 {
        return;
    }
    if tracked {
        notes.warn(cell, "stock below zero is imported as 0; the figure is kept as an attribute");
        variant.attributes.push(("stock.imported".to_owned(), cell.owned()));
        *on_hand = 0;
    } else {
        notes.warn(cell, "stock below zero; it is not counted, so it does not matter");
    }
}

fn variant_cell(
    variant: &mut VariantPatch,
    column: &Column,
    cell: Cell<'_>,
    options: &ImportOptions,
    notes: &mut Notes<'_>,
) {
    match column {
        Column::Sku => variant.sku = Some(sku(cell, notes)),
        Column::Barcode => variant.barcode = Some(notes.text(cell, limits::BARCODE_CHARS)),
        Column::Price(currency) => {
            let currency = currency.unwrap_or(options.currency);
            let amount = notes.amount(cell, currency);
            variant.price(currency).amount_minor = Some(amount);
        }
        Column::CompareAt(currency) => {
            let currency = currency.unwrap_or(options.currency);
            let amount = notes.amount(cell, currency);
            variant.price(currency).compare_at_minor = Some(amount);
        }
        Column::WeightUnit if cell.is_empty() => variant.weight_unit = Some(None),
        Column::WeightUnit => match WeightUnit::parse(cell.text) {
            Some(unit) => variant.weight_unit = Some(Some(unit)),
            None => notes.error(cell, "is g, kg, oz or lb"),
        },
        Column::Taxable => variant.taxable = notes.flag(cell),
        Column::TaxClass if !cell.is_empty() => match TaxClass::from_name(cell.text) {
            Some(class) => variant.tax_class = Some(class),
            None => notes.error(cell, "is a word of at most 32 letters, such as reduced"),
        },
        Column::RequiresShipping => variant.requires_shipping = notes.flag(cell),
        Column::GiftCard => variant.gift_card = notes.flag(cell),
        Column::VariantImage => {
            let url = notes.address(cell, cell.text);
            let urls: Vec<String> = Some(url).filter(|u| !u.is_empty()).into_iter().collect();
            if variant.media.as_ref().is_none_or(Vec::is_empty) {
                variant.media = Some(urls);
            }
        }
        Column::VariantImages if !cell.is_empty() => {
            let urls = cell.text.split(" | ").map(|url| notes.address(cell, url.trim()));
            variant.media = Some(urls.collect());
        }
        Column::VariantAttribute(key) => {
            let text = notes.text(cell, limits::ATTRIBUTE_CHARS);
            variant.attributes.push((key.clone(), text));
        }
        _ => {}
    }
}

/// `None` when there is none, or a wrong one, which is noted.
pub(super) fn sku(cell: Cell<'_>, notes: &mut Notes<'_>) -> Option<Sku> {
    if cell.is_empty() {
        return None;
    }
    match cell.text.parse::<Sku>() {
        Ok(sku) => Some(sku),
        Err(error) => {
            notes.error(cell, error.to_string());
            None
        }
    }
}
