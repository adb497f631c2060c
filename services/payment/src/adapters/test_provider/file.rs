//! The provider's ledger on disk: a line of JSON for each thing it did, only ever appended to.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Error, Result, Write};
use std::path::Path;

use super::books::{Books, Line};

/// Its name in the folder.
pub const NAME: &str = "test-provider.jsonl";

pub struct Ledger {
    file: File,
    /// How many bytes of whole lines it holds.
    whole: u64,
    /// Something may stand behind them: the start of a line that could not be written.
    torn: bool,
}

impl Ledger {
    /// Opens the file, making it and its folder when they are missing, and applies what stands in
    /// it.
    ///
    /// A last line that was cut off, by a kill or a full disk, is removed: what it would have told
    /// was never answered. Lines are handed to the operating system one by one and not flushed to
    /// the disk: the file outlives a killed process, and need not outlive a power cut.
    pub fn open(folder: &Path, books: &mut Books) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(NAME);
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        let whole = apply_all(&mut file, &path, books)?;
        file.set_len(whole)?;
        Ok(Self { file, whole, torn: false })
    }

    /// The whole line or nothing of it. After an error the next line begins where this one would
    /// have.
    pub fn append(&mut self, line: &Line) -> Result<()> {
        self.append_through(line, File::write_all)
    }

    fn append_through(
        &mut self,
        line: &Line,
        write: impl FnOnce(&mut File, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.mend()?;
        // In one write, so that a kill leaves all of it or a cut-off last line.
        if let Err(error) = write(&mut self.file, &text) {
            self.torn = true;
            // When this fails too, the next line tries again before it is written.
            let _ = self.mend();
            return Err(error);
        }
        self.whole += text.len() as u64;
        Ok(())
    }

    fn mend(&mut self) -> Result<()> {
        if self.torn {
            self.file.set_len(self.whole)?;
            self.torn = false;
        }
        Ok(())
    }
}

/// Answers how many bytes of whole lines there are.
fn apply_all(file: &mut File, path: &Path, books: &mut Books) -> Result<u64> {
    let mut whole: u64 = 0;
    let mut reader = BufReader::new(file);
    let mut text = Vec::new();
    loop {
        text.clear();
        let read = reader.read_until(b'\n', &mut text)?;
        if text.last() != Some(&b'\n') {
            return Ok(whole);
        }
        let line = serde_json::from_slice::<Line>(&text).map_err(|_| {
            let path = path.display();
            Error::other(format!("{path} holds a line that is not the test provider's"))
        })?;
        books.apply(&line);
        whole += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Currency, Timestamp};

    use super::super::books::{Operation, Verdict};
    use super::*;

    fn line(key: &str) -> Line {
        Line {
            at: Timestamp::EPOCH,
            operation: Operation::Authorize,
            key: key.to_owned(),
            charge: None,
            order: None,
            amount_minor: 500,
            currency: Currency::EUR,
            verdict: Verdict::Done,
        }
    }

    fn half(file: &mut File, text: &[u8]) -> Result<()> {
        file.write_all(&text[..text.len() / 2])?;
        Err(Error::other("no space left on device"))
    }

    fn charges(folder: &Path) -> Vec<bool> {
        let mut books = Books::default();
        Ledger::open(folder, &mut books).unwrap();
        ["one", "two", "three"].map(|key| books.charge(key).is_some()).to_vec()
    }

    #[test]
    fn a_line_that_the_disk_had_no_room_for_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(folder.path(), &mut Books::default()).unwrap();
        ledger.append(&line("one")).unwrap();
        ledger.append_through(&line("two"), half).unwrap_err();
        ledger.append(&line("three")).unwrap();
        assert_eq!(charges(folder.path()), [true, false, true]);
    }

    #[test]
    fn a_torn_last_line_is_removed_on_opening_even_if_it_could_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(folder.path(), &mut Books::default()).unwrap();
        ledger.append(&line("one")).unwrap();
        drop(ledger);
        let path = folder.path().join(NAME);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        // All but the end of the line.
        file.write_all(&serde_json::to_vec(&line("two")).unwrap()).unwrap();
        drop(file);
        let mut ledger = Ledger::open(folder.path(), &mut Books::default()).unwrap();
        ledger.append(&line("three")).unwrap();
        assert_eq!(charges(folder.path()), [true, false, true]);
    }
}
