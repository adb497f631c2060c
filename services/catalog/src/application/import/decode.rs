//! The thread that turns bytes into chunks of products.

use std::collections::HashSet;
use std::io::Read;

use kernel::Handle;
use tokio::sync::mpsc;

use super::cards::{self, Refuse};
use crate::domain::import::rows::FileError;
use crate::domain::import::{Format, Groups, ImportOptions, Incoming, Parsed, RowError, parse};

/// A chunk holds at most this many products, and about this many variants.
const PRODUCTS: usize = 250;
const VARIANTS: usize = 2_000;
/// A chunk ends when its rows are larger than this, so that huge products do not pile up.
const BYTES: u64 = 16 << 20;
/// Decoded chunks that may wait: one being stored, one ready.
const AHEAD: usize = 1;

pub(super) enum Message {
    Header { format: Format, unknown: Vec<String>, sets_stock: bool },
    Chunk(Chunk),
    Failed(FileError),
}

/// Some products of the file, no two of them with the same handle.
#[derive(Default)]
pub(super) struct Chunk {
    pub products: Vec<Incoming>,
    pub failed: u64,
    pub errors: Vec<RowError>,
    pub warnings: Vec<RowError>,
    /// Bytes and rows read of the whole file so far.
    pub bytes: u64,
    pub rows: u64,
}

/// Starts to decode. The thread ends when the file does or when nobody listens any more.
pub(super) fn start(
    reader: impl Read + Send + 'static,
    options: ImportOptions,
    refuse: Refuse,
) -> mpsc::Receiver<Message> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = decode(reader, &options, refuse, &sender) {
            // Nobody listens: nobody needs to know.
            let _ = sender.blocking_send(Message::Failed(error));
        }
    });
    receiver
}

fn decode(
    reader: impl Read,
    options: &ImportOptions,
    refuse: Refuse,
    sender: &mpsc::Sender<Message>,
) -> Result<(), FileError> {
    let mut groups = Groups::new(reader, options.format, &options.locale)?;
    let layout = groups.layout().clone();
    cards::check_header(&layout, refuse)?;
    let header = Message::Header {
        format: layout.format,
        unknown: layout.unknown.clone(),
        sets_stock: layout.sets_stock(),
    };
    if sender.blocking_send(header).is_err() {
        return Ok(());
    }
    let mut chunk = Chunk::default();
    let mut handles: HashSet<Handle> = HashSet::new();
    let mut variants = 0;
    let mut begins = 0;
    while let Some(group) = groups.next_group()? {
        let cards = cards::errors(&group, &layout, refuse);
        let parsed = if cards.is_empty() {
            parse(&group, &layout, options)
        } else {
            // Nothing else is told of it: what is told of a cell repeats the cell.
            Parsed { product: Err(cards), warnings: Vec::new() }
        };
        let (bytes, rows) = groups.position();
        let again = parsed.product.as_ref().is_ok_and(|p| handles.contains(&p.handle));
        let full = chunk.products.len() >= PRODUCTS || variants >= VARIANTS;
        if again || full || bytes.saturating_sub(begins) > BYTES {
            if sender.blocking_send(Message::Chunk(std::mem::take(&mut chunk))).is_err() {
                return Ok(());
            }
            handles.clear();
            variants = 0;
            begins = bytes;
        }
        (chunk.bytes, chunk.rows) = (bytes, rows);
        chunk.warnings.extend(parsed.warnings);
        match parsed.product {
            Ok(product) => {
                handles.insert(product.handle.clone());
                variants += product.variants.len().max(1);
                chunk.products.push(product);
            }
            Err(errors) => {
                chunk.failed += 1;
                chunk.errors.extend(errors);
            }
        }
    }
    // Nobody listens: nobody needs the rest.
    let _ = sender.blocking_send(Message::Chunk(chunk));
    Ok(())
}
