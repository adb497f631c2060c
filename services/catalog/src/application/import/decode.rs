//! The thread that turns bytes into chunks of products.

use std::collections::HashSet;
use std::io::Read;

use kernel::Handle;
use tokio::sync::mpsc;

use crate::domain::import::rows::FileError;
use crate::domain::import::{Format, Groups, ImportOptions, Incoming, RowError, parse};

/// A chunk holds at most this many products, and about this many variants.
const PRODUCTS: usize = 250;
const VARIANTS: usize = 2_000;
/// A chunk ends when its rows are larger than this, so that huge products do not pile up.
const BYTES: u64 = 16 << 20;
/// Decoded chunks that may wait: one being stored, one ready.
const AHEAD: usize = 1;

pub(super) enum Message {
    Header { format: Format, unknown: Vec<String> },
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
) -> mpsc::Receiver<Message> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = decode(reader, &options, &sender) {
            // Nobody listens: nobody needs to know.
            let _ = sender.blocking_send(Message::Failed(error));
        }
    });
    receiver
}

fn decode(
    reader: impl Read,
    options: &ImportOptions,
    sender: &mpsc::Sender<Message>,
) -> Result<(), FileError> {
    let mut groups = Groups::new(reader, options.format, &options.locale)?;
    let layout = groups.layout().clone();
    let header = Message::Header { format: layout.format, unknown: layout.unknown.clone() };
    if sender.blocking_send(header).is_err() {
        return Ok(());
    }
    let mut chunk = Chunk::default();
    let mut handles: HashSet<Handle> = HashSet::new();
    let mut variants = 0;
    let mut begins = 0;
    while let Some(group) = groups.next_group()? {
        let parsed = parse(&group, &layout, options);
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
