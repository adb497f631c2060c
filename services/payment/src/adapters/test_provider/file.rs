//! The provider's ledger on disk: a line of JSON for each thing it did, only ever appended to.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use super::books::{Books, Line};

/// Its name in the folder.
pub const NAME: &str = "test-provider.jsonl";

/// Opens the file, making it and its folder when they are missing, and applies what stands in it.
///
/// A last line that was cut off by a kill is removed: what it would have told was never answered.
/// Lines are handed to the operating system one by one and not flushed to the disk: the file
/// outlives a killed process, and need not outlive a power cut.
pub fn open(folder: &Path, books: &mut Books) -> std::io::Result<File> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(NAME);
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
    let mut whole: u64 = 0;
    let mut reader = BufReader::new(&mut file);
    let mut text = Vec::new();
    loop {
        text.clear();
        let read = reader.read_until(b'\n', &mut text)?;
        let Ok(line) = serde_json::from_slice::<Line>(&text) else {
            if read == 0 || text.last() != Some(&b'\n') {
                break;
            }
            return Err(std::io::Error::other(format!(
                "{} holds a line that is not the test provider's",
                path.display()
            )));
        };
        if text.last() != Some(&b'\n') {
            break;
        }
        books.apply(&line);
        whole += read as u64;
    }
    drop(reader);
    file.set_len(whole)?;
    Ok(file)
}

/// In one write, so that a kill leaves all of it or a cut-off last line.
pub fn append(file: &mut File, line: &Line) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)
}
