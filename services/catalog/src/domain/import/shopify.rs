//! A group of rows of a Shopify file, of the older or the newer headers, or of our own export.

use super::ImportOptions;
use super::cells::{Cell, Notes};
use super::columns::{Column, Layout};
use super::groups::Group;
use super::incoming::{Incoming, MediaPatch, ProductPatch, VariantPatch};
use super::rows::Record;
use crate::domain::Status;
use crate::domain::product::limits;

pub(super) fn parse(
    group: &Group,
    layout: &Layout,
    options: &ImportOptions,
    notes: &mut Notes<'_>,
) -> Option<Incoming> {
    let first = &group.records[0];
    let handle = named(group, layout, notes)?;
    let mut reader = Reader {
        layout,
        options,
        notes,
        incoming: Incoming {
            line: first.line,
            handle,
            product: group.titled.then(ProductPatch::default),
            options: None,
            variants: Vec::new(),
            media: Vec::new(),
        },
        positions: Vec::new(),
    };
    reader.option_names(&group.records);
    if group.titled {
        reader.product(first);
    }
    for (index, record) in group.records.iter().enumerate() {
        reader.row(record, group.titled && index == 0);
    }
    if group.titled {
        reader.warn_of_strays(&group.records);
    }
    let gift_card = reader.incoming.variants.first().and_then(|v| v.gift_card);
    for variant in &mut reader.incoming.variants {
        variant.gift_card = variant.gift_card.or(gift_card);
    }
    warn_of_twins(&reader.incoming.variants, reader.notes);
    Some(reader.finish())
}

/// The handle of a group, or an error that says what is missing.
pub(super) fn named(
    group: &Group,
    layout: &Layout,
    notes: &mut Notes<'_>,
) -> Option<kernel::Handle> {
    let first = &group.records[0];
    if let Some(dropped) = &group.dropped {
        notes.push_error(dropped.clone());
    }
    let column = layout.find(&Column::Handle).or_else(|| layout.find(&Column::Title(None)));
    let cell = Cell::of(first, column.unwrap_or(0));
    if group.handle.is_none() {
        notes.error(cell, "a product needs a handle, or a title that makes one");
    }
    if let Some(note) = &group.handle_note {
        notes.warn(cell, note.clone());
    }
    group.handle.clone()
}

/// Two variants with the same option values are both kept: files hold them.
pub(super) fn warn_of_twins(variants: &[VariantPatch], notes: &mut Notes<'_>) {
    let mut seen = std::collections::HashSet::new();
    for variant in variants.iter().filter(|v| !v.options.is_empty()) {
        if !seen.insert(&variant.options) {
            let message = "another variant of this product has the same options; both are kept";
            notes.row_warning(variant.line, message);
        }
    }
}

pub(super) struct Reader<'a, 'n> {
    pub(super) layout: &'a Layout,
    pub(super) options: &'a ImportOptions,
    pub(super) notes: &'a mut Notes<'n>,
    pub(super) incoming: Incoming,
    positions: Vec<(usize, i64)>,
}

impl Reader<'_, '_> {
    /// Cells of a row that are not empty, with their columns.
    pub(super) fn cell<'r>(&self, record: &'r Record, column: &Column) -> Option<Cell<'r>> {
        self.layout.find(column).map(|index| Cell::of(record, index))
    }

    fn option_names(&mut self, records: &[Record]) {
        let mut names: Vec<String> = Vec::new();
        for (index, column) in self.layout.columns.iter().enumerate() {
            let Column::OptionName(number) = column else { continue };
            let named = records.iter().map(|r| Cell::of(r, index)).find(|c| !c.is_empty());
            if let Some(cell) = named {
                names.resize(names.len().max(number + 1), String::new());
                names[*number] = self.notes.text(cell, limits::OPTION_CHARS);
            }
        }
        if let Some(gap) = names.iter().position(String::is_empty) {
            let message = format!("option {} has no name, but a later one has", gap + 1);
            self.notes.row_error(self.incoming.line, None, message);
        }
        if !names.is_empty() {
            self.incoming.options = Some(names);
        }
        if self.is_default(records) {
            self.incoming.options = Some(Vec::new());
        }
    }

    /// `Title` / `Default Title`: how Shopify writes a product without options.
    fn is_default(&self, records: &[Record]) -> bool {
        let only_title = match &self.incoming.options {
            Some(names) => names.len() == 1 && names[0].eq_ignore_ascii_case("title"),
            None => true,
        };
        let values: Vec<Cell<'_>> = records
            .iter()
            .filter_map(|r| self.cell(r, &Column::OptionValue(0)))
            .filter(|c| !c.is_empty())
            .collect();
        only_title && values.len() == 1 && values[0].text.eq_ignore_ascii_case("default title")
    }

    fn product(&mut self, record: &Record) {
        let mut patch = ProductPatch::default();
        let mut published = None;
        let mut status = None;
        for (index, column) in self.layout.columns.iter().enumerate() {
            let cell = Cell::of(record, index);
            match column {
                Column::Published => published = Some(cell),
                Column::Status => status = Some(cell),
                _ => product_cell(&mut patch, column, cell, self.options, self.notes),
            }
        }
        patch.status = self.status(published, status, &mut patch.attributes);
        self.incoming.product = Some(patch);
    }

    /// One status of two columns. A pair that no status of ours stands for is kept aside.
    fn status(
        &mut self,
        published: Option<Cell<'_>>,
        status: Option<Cell<'_>>,
        attributes: &mut Vec<(String, String)>,
    ) -> Option<Status> {
        let told = status.filter(|cell| !cell.is_empty());
        if published.is_none() && status.is_none() {
            return None;
        }
        let published = published.and_then(|cell| self.notes.flag(cell));
        let visible = published.unwrap_or(true);
        let word = told.map(|cell| cell.text.to_ascii_lowercase()).unwrap_or_default();
        let result = match word.as_str() {
            "" | "active" | "published" if visible => Status::Published,
            "" => Status::Draft,
            "active" | "published" => {
                attributes.push(("listing.status".to_owned(), word));
                Status::Draft
            }
            "unlisted" => {
                attributes.push(("listing.status".to_owned(), word));
                if let Some(cell) = told {
                    self.notes.warn(cell, "unlisted products are imported as drafts");
                }
                Status::Draft
            }
            "draft" | "archived" => {
                if published == Some(true) {
                    attributes.push(("listing.published".to_owned(), "true".to_owned()));
                }
                if word == "draft" { Status::Draft } else { Status::Archived }
            }
            _ => {
                if let Some(cell) = told {
                    self.notes.error(cell, "is active, draft, archived or unlisted");
                }
                Status::Draft
            }
        };
        Some(result)
    }

    fn row(&mut self, record: &Record, first: bool) {
        let strong =
            self.layout.columns.iter().enumerate().any(|(index, column)| {
                column.makes_variant() && !record.cell(index).trim().is_empty()
            });
        let picture = self.picture(record);
        if strong || first {
            let variant = self.variant(record, !strong);
            self.incoming.variants.push(variant);
        }
        for (index, column) in self.layout.columns.iter().enumerate() {
            let (Column::RowAttribute(_) | Column::Nameless) = column else { continue };
            let cell = Cell::of(record, index);
            if first || !cell.is_empty() {
                let key = match column {
                    Column::RowAttribute(key) => key.clone(),
                    _ if cell.is_empty() => continue,
                    _ => format!("{}#{}", super::columns::UNKNOWN, index + 1),
                };
                self.keep(key, cell, first, strong, picture);
            }
        }
        if !strong && !first && picture.is_none() {
            self.notes.row_warning(record.line, "the row holds neither a variant nor a picture");
        }
    }

    /// Puts a cell without a place of its own aside, at what its row describes.
    fn keep(
        &mut self,
        key: String,
        cell: Cell<'_>,
        first: bool,
        strong: bool,
        picture: Option<usize>,
    ) {
        let value = self.notes.text(cell, limits::ATTRIBUTE_CHARS);
        let target = match (first, strong, picture) {
            (true, ..) => self.incoming.product.as_mut().map(|p| &mut p.attributes),
            (_, true, _) => self.incoming.variants.last_mut().map(|v| &mut v.attributes),
            (_, _, Some(index)) => Some(&mut self.incoming.media[index].attributes),
            _ => self.incoming.product.as_mut().map(|p| &mut p.attributes),
        };
        match target {
            Some(pairs) => pairs.push((key, value)),
            None => self.notes.warn(cell, "nothing in this row could hold the cell"),
        }
    }

    /// Cells of the product below its first row count only when they say the same.
    fn warn_of_strays(&mut self, records: &[Record]) {
        for (index, column) in self.layout.columns.iter().enumerate() {
            let of_product = matches!(
                column,
                Column::Title(_)
                    | Column::Description(_)
                    | Column::SeoTitle(_)
                    | Column::SeoDescription(_)
                    | Column::Vendor
                    | Column::Type
                    | Column::Tags
                    | Column::Published
                    | Column::Status
                    | Column::CategoryPath(_)
                    | Column::Categories
                    | Column::ProductAttribute(_)
            );
            let first = records[0].cell(index).trim();
            for record in records[1..].iter().filter(|_| of_product) {
                let cell = Cell::of(record, index);
                if !cell.is_empty() && record.cell(index).trim() != first {
                    let message = "belongs into the first row of a product; not imported";
                    self.notes.warn(cell, message);
                }
            }
        }
    }

    fn picture(&mut self, record: &Record) -> Option<usize> {
        let cell = self.cell(record, &Column::Image).filter(|c| !c.is_empty())?;
        let url = self.notes.address(cell, cell.text);
        let known = self.incoming.media.iter().position(|m| m.url == url);
        let at = known.unwrap_or_else(|| {
            self.incoming.media.push(MediaPatch::new(url));
            self.incoming.media.len() - 1
        });
        for (index, column) in self.layout.columns.iter().enumerate() {
            let cell = Cell::of(record, index);
            match column {
                Column::ImagePosition => {
                    if let Some(position) = self.notes.count(cell) {
                        self.positions.push((at, position));
                    }
                }
                Column::ImageAlt(locale) if known.is_none() || !cell.is_empty() => {
                    let locale = locale.as_ref().unwrap_or(&self.options.locale).clone();
                    let text = self.notes.text(cell, limits::SEO_CHARS);
                    self.incoming.media[at].alt.push((locale, text));
                }
                Column::ImageAttribute(key) if known.is_none() || !cell.is_empty() => {
                    let text = self.notes.text(cell, limits::ATTRIBUTE_CHARS);
                    self.incoming.media[at].attributes.push((key.clone(), text));
                }
                _ => {}
            }
        }
        Some(at)
    }

    fn finish(mut self) -> Incoming {
        // Pictures without a position stay behind the one before them.
        let mut keys: Vec<i64> = Vec::with_capacity(self.incoming.media.len());
        for index in 0..self.incoming.media.len() {
            let own = self.positions.iter().find(|(at, _)| *at == index).map(|(_, p)| *p);
            keys.push(own.or(keys.last().copied()).unwrap_or(0));
        }
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by_key(|index| keys[*index]);
        let media = order.iter().map(|index| self.incoming.media[*index].clone()).collect();
        self.incoming.media = media;
        self.incoming
    }
}

fn product_cell(
    patch: &mut ProductPatch,
    column: &Column,
    cell: Cell<'_>,
    options: &ImportOptions,
    notes: &mut Notes<'_>,
) {
    let locale =
        |locale: &Option<kernel::Locale>| locale.as_ref().unwrap_or(&options.locale).clone();
    match column {
        Column::Title(l) => {
            patch.title.push((locale(l), notes.text(cell, limits::TITLE_CHARS)));
        }
        Column::Description(l) => {
            let text = notes.verbatim(cell, limits::DESCRIPTION_CHARS);
            patch.description.push((locale(l), text));
        }
        Column::SeoTitle(l) => {
            patch.seo_title.push((locale(l), notes.text(cell, limits::SEO_CHARS)));
        }
        Column::SeoDescription(l) => {
            patch.seo_description.push((locale(l), notes.text(cell, limits::SEO_CHARS)));
        }
        Column::Vendor => patch.vendor = Some(notes.text(cell, limits::WORD_CHARS)),
        Column::Type => patch.product_type = Some(notes.text(cell, limits::WORD_CHARS)),
        Column::Tags => {
            let tags = cell.list(',');
            if tags.len() > limits::TAGS
                || tags.iter().any(|t| t.chars().count() > limits::WORD_CHARS)
            {
                notes.error(cell, "holds at most 250 tags of at most 255 characters");
            }
            patch.tags = Some(tags);
        }
        Column::CategoryPath(key) => {
            if !cell.is_empty() {
                patch.categories.push(path(cell, cell.text, notes));
            }
            patch.attributes.push(((*key).to_owned(), cell.owned()));
        }
        Column::Categories => {
            for part in cell.text.split(" | ").filter(|p| !p.trim().is_empty()) {
                let path = path(cell, part, notes);
                patch.categories.push(path);
            }
        }
        Column::ProductAttribute(key) => {
            patch.attributes.push((key.clone(), notes.text(cell, limits::ATTRIBUTE_CHARS)));
        }
        _ => {}
    }
}

fn path(cell: Cell<'_>, text: &str, notes: &mut Notes<'_>) -> Vec<String> {
    let path: Vec<String> =
        text.split('>').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect();
    let deep = path.len() > crate::domain::category::MAX_DEPTH;
    let odd = path.iter().any(|title| {
        title.chars().count() > limits::TITLE_CHARS || kernel::Handle::from_title(title).is_none()
    });
    if deep || odd || path.is_empty() {
        notes.error(cell, "is a path of at most 10 category titles, such as Clothing > Shirts");
    }
    path
}
