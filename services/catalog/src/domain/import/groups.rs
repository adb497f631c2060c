//! The rows of one product together.
//!
//! In a Shopify file neighbouring rows with the same handle are one group; when a handle comes
//! again further down, that is a group of its own, which merges into the product that the first
//! one made. In a Vendure file a row with a name begins a product.

use std::io::Read;

use kernel::{Handle, Locale};

use super::columns::{Column, Format, Layout};
use super::report::RowError;
use super::rows::{FileError, Record, Rows};

/// The rows of one product, in the order of the file.
#[derive(Clone, Debug)]
pub struct Group {
    pub records: Vec<Record>,
    /// The handle that the file gives or that its title makes; `None` when neither works.
    pub handle: Option<Handle>,
    /// Set when the handle could not be used as it stands.
    pub handle_note: Option<String>,
    /// True when these rows begin a product rather than add to one above.
    pub titled: bool,
    /// Set when rows had to be dropped because the group is too large.
    pub dropped: Option<RowError>,
}

/// No product has more rows: its variants and pictures, and some room.
pub const MAX_ROWS: usize = 3_000;
const MAX_BYTES: usize = 32 << 20;

pub struct Groups<R> {
    rows: Rows<R>,
    layout: Layout,
    handle: Option<usize>,
    titles: Vec<usize>,
    ahead: Option<Record>,
    /// How often each handle was made of a title; made ones are told apart by a number.
    made: ahash::AHashMap<u64, u32>,
    hasher: ahash::RandomState,
    count: u64,
}

impl<R: Read> Groups<R> {
    pub fn new(reader: R, format: Option<Format>, locale: &Locale) -> Result<Self, FileError> {
        let mut rows = Rows::new(reader)?;
        let header = rows.next_record()?.ok_or(FileError::Empty)?;
        let layout = Layout::new(&header, format, locale)?;
        Ok(Self {
            handle: layout.find(&Column::Handle),
            titles: (0..layout.columns.len())
                .filter(|index| matches!(layout.columns[*index], Column::Title(_)))
                .collect(),
            rows,
            layout,
            ahead: None,
            made: ahash::AHashMap::new(),
            hasher: ahash::RandomState::with_seeds(1, 2, 3, 4),
            count: 0,
        })
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Bytes and rows read so far.
    pub fn position(&self) -> (u64, u64) {
        (self.rows.bytes(), self.count)
    }

    /// The next product's rows; `None` at the end.
    pub fn next_group(&mut self) -> Result<Option<Group>, FileError> {
        let Some(first) = self.take()? else { return Ok(None) };
        let key = cell(&first, self.handle).to_owned();
        let titled = !self.title(&first).is_empty();
        let mut bytes = first.bytes();
        let mut records = vec![first];
        let mut dropped = None;
        while let Some(record) = self.take()? {
            if !self.belongs(&record, &key) {
                self.ahead = Some(record);
                break;
            }
            bytes += record.bytes();
            if records.len() < MAX_ROWS && bytes < MAX_BYTES {
                records.push(record);
            } else {
                dropped.get_or_insert_with(|| {
                    RowError::new(
                        record.line,
                        None,
                        &key,
                        format!("a product has at most {MAX_ROWS} rows and 32 MiB"),
                    )
                });
            }
        }
        let (handle, handle_note) = self.name(&key, &records[0], titled);
        Ok(Some(Group { records, handle, handle_note, titled, dropped }))
    }

    fn take(&mut self) -> Result<Option<Record>, FileError> {
        if let Some(record) = self.ahead.take() {
            return Ok(Some(record));
        }
        let record = self.rows.next_record()?;
        self.count += u64::from(record.is_some());
        Ok(record)
    }

    /// The title in whatever locale comes first.
    fn title<'a>(&self, record: &'a Record) -> &'a str {
        let mut titles = self.titles.iter().map(|index| record.cell(*index).trim());
        titles.find(|title| !title.is_empty()).unwrap_or("")
    }

    fn belongs(&self, record: &Record, key: &str) -> bool {
        match self.layout.format {
            Format::Shopify if self.handle.is_none() || key.is_empty() => {
                cell(record, self.handle).is_empty() && self.title(record).is_empty()
            }
            Format::Shopify => cell(record, self.handle) == key,
            Format::Vendure => self.title(record).is_empty(),
        }
    }

    /// The handle of a group, and a note when it is not the one that the file writes.
    fn name(
        &mut self,
        key: &str,
        first: &Record,
        titled: bool,
    ) -> (Option<Handle>, Option<String>) {
        if !key.is_empty() {
            if let Ok(handle) = key.parse::<Handle>() {
                return match self.layout.format {
                    Format::Shopify => (Some(handle), None),
                    Format::Vendure => self.distinct(handle),
                };
            }
            let made = Handle::from_title(key);
            let note = made.as_ref().map(|handle| format!("the handle is kept as {handle}"));
            return (made, note);
        }
        if !titled {
            return (None, None);
        }
        match Handle::from_title(self.title(first)) {
            Some(handle) => self.distinct(handle),
            None => (None, None),
        }
    }

    /// The first product of a made handle has it, the next ones get a number: the same in every
    /// import of the same file.
    fn distinct(&mut self, handle: Handle) -> (Option<Handle>, Option<String>) {
        let seen = self.made.entry(self.hasher.hash_one(handle.as_str())).or_insert(0);
        *seen += 1;
        if *seen == 1 {
            return (Some(handle), None);
        }
        let stem: String = handle.as_str().chars().take(Handle::MAX_CHARS - 11).collect();
        let numbered = format!("{stem}-{seen}");
        let note = format!("a product above has the handle {handle}; this one gets {numbered}");
        (numbered.parse().ok(), Some(note))
    }
}

fn cell(record: &Record, index: Option<usize>) -> &str {
    index.map_or("", |index| record.cell(index).trim())
}
