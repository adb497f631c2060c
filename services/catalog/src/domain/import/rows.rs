//! Bytes to records (RFC 4180, read leniently), with the physical line of each.
//!
//! Not the `csv` crate: it counts lines from before skipped blank ones, reads a quote that is
//! never closed to the end of the file into memory, and cannot go on after it. Here a record has
//! a limit, and after a bad one reading goes on with the next physical line. A property test
//! compares the two on well-formed files.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};

/// No record may be larger.
pub const MAX_RECORD_BYTES: usize = 4 << 20;
/// No file has more columns.
pub const MAX_COLUMNS: usize = 2_000;

/// One record: its cells, and what is wrong with it as a whole.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The physical line where it begins, counted from 1.
    pub line: u64,
    text: String,
    ends: Vec<u32>,
    /// Set when the record cannot be trusted: the index of the cell and what is wrong.
    pub fault: Option<(usize, String)>,
}

impl Record {
    /// The cell at `index`; a record that ends early has empty ones there.
    pub fn cell(&self, index: usize) -> &str {
        let Some(end) = self.ends.get(index) else { return "" };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start as usize..*end as usize).unwrap_or("")
    }

    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| self.cell(index))
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * 4
    }
}

/// Reads records from bytes, one after the other.
pub struct Rows<R> {
    reader: BufReader<R>,
    /// Lines that were read as part of a broken record and are to be read again.
    again: VecDeque<Vec<u8>>,
    /// Quoted text that is open at the end of a line before this one stays open: found out when a
    /// record that began above was read in vain. Without it, a file of nothing but such lines would
    /// be read once for each of them.
    open_until: u64,
    line: u64,
    /// How many lines were handed out, those that were read again included.
    #[cfg(test)]
    lines: u64,
    bytes: u64,
    delimiter: u8,
    terminator: u8,
}

/// Why a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is UTF-16: save it as UTF-8")]
    Utf16,
    #[error("line 1 is not a header: {0}")]
    Header(String),
    #[error("the file could not be read: {0}")]
    Io(#[from] io::Error),
}

impl<R: Read> Rows<R> {
    /// Skips a byte order mark and finds out how cells and lines end.
    pub fn new(reader: R) -> Result<Self, FileError> {
        let mut reader = BufReader::with_capacity(256 << 10, reader);
        let start = reader.fill_buf()?;
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            return Err(FileError::Utf16);
        }
        let mark = if start.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        let terminator = match start.iter().find(|b| **b == b'\n' || **b == b'\r') {
            Some(b'\r') if !start.contains(&b'\n') => b'\r',
            _ => b'\n',
        };
        let header = start[mark..].split(|b| *b == b'\n' || *b == b'\r').next().unwrap_or(&[]);
        let delimiter = find_delimiter(header);
        reader.consume(mark);
        Ok(Self {
            reader,
            again: VecDeque::new(),
            open_until: 0,
            line: 1,
            #[cfg(test)]
            lines: 0,
            bytes: mark as u64,
            delimiter,
            terminator,
        })
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next record that is not blank; `None` at the end.
    pub fn next_record(&mut self) -> Result<Option<Record>, io::Error> {
        loop {
            let line = self.line;
            let Some(first) = self.next_line()? else { return Ok(None) };
            if first.iter().all(|b| *b == b'\n' || *b == b'\r') {
                continue;
            }
            let record = self.read_record(line, first)?;
            if record.fault.is_some() || record.cells().any(|cell| !cell.trim().is_empty()) {
                return Ok(Some(record));
            }
        }
    }

    fn read_record(&mut self, line: u64, first: Vec<u8>) -> Result<Record, io::Error> {
        let mut splitter = Splitter::new(self.delimiter);
        let mut size = first.len();
        splitter.feed(&first);
        let mut taken: Vec<Vec<u8>> = Vec::new();
        while splitter.open() {
            let hopeless = size > MAX_RECORD_BYTES || self.line < self.open_until;
            let next = if hopeless { None } else { self.next_line()? };
            if let Some(next) = next {
                size += next.len();
                splitter.feed(&next);
                taken.push(next);
            } else {
                let message = if hopeless {
                    "the quoted text that begins here is larger than 4 MiB or never closed"
                } else {
                    "the quoted text that begins here is never closed"
                };
                let cell = splitter.ends.len();
                self.open_until = self.open_until.max(self.line);
                self.line -= taken.len() as u64;
                for line in taken.into_iter().rev() {
                    self.again.push_front(line);
                }
                let mut record = splitter.only_first_line(line, &first);
                record.fault = Some((cell, message.to_owned()));
                return Ok(record);
            }
        }
        Ok(splitter.finish(line))
    }

    fn next_line(&mut self) -> Result<Option<Vec<u8>>, io::Error> {
        #[cfg(test)]
        {
            self.lines += 1;
        }
        if let Some(line) = self.again.pop_front() {
            self.line += 1;
            return Ok(Some(line));
        }
        let mut line = Vec::new();
        let read = (&mut self.reader)
            .take(MAX_RECORD_BYTES as u64 + 1)
            .read_until(self.terminator, &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        self.bytes += read as u64;
        // A line longer than any record: the rest of it is read and dropped, piece by piece.
        if read > MAX_RECORD_BYTES {
            let mut rest = Vec::new();
            while line.last() != Some(&self.terminator) && rest.last() != Some(&self.terminator) {
                rest.clear();
                let more =
                    (&mut self.reader).take(1 << 20).read_until(self.terminator, &mut rest)?;
                self.bytes += more as u64;
                if more == 0 {
                    break;
                }
            }
        }
        self.line += 1;
        Ok(Some(line))
    }
}

/// The delimiter that splits the header into most cells: a comma, or what spreadsheets of other
/// countries write.
fn find_delimiter(header: &[u8]) -> u8 {
    let mut best = (0, b',');
    for candidate in *b",;\t" {
        let mut quoted = false;
        let mut count = 0;
        for byte in header {
            quoted ^= *byte == b'"';
            count += usize::from(!quoted && *byte == candidate);
        }
        if count > best.0 {
            best = (count, candidate);
        }
    }
    best.1
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Start,
    Plain,
    Quoted,
    /// A quote inside quoted text: the end of it, or the first half of a doubled one.
    Quote,
}

struct Splitter {
    delimiter: u8,
    text: Vec<u8>,
    ends: Vec<u32>,
    state: State,
}

impl Splitter {
    fn new(delimiter: u8) -> Self {
        Self { delimiter, text: Vec::new(), ends: Vec::new(), state: State::Start }
    }

    fn open(&self) -> bool {
        self.state == State::Quoted
    }

    fn feed(&mut self, line: &[u8]) {
        self.text.reserve(line.len());
        for byte in line {
            let byte = *byte;
            let ends_line = byte == b'\n' || byte == b'\r';
            match (self.state, byte) {
                (State::Start, b'"') => self.state = State::Quoted,
                (State::Quoted, b'"') => self.state = State::Quote,
                (State::Quote, b'"') => {
                    self.text.push(b'"');
                    self.state = State::Quoted;
                }
                (State::Quoted, _) => self.text.push(byte),
                (_, _) if byte == self.delimiter => {
                    self.end_cell();
                    self.state = State::Start;
                }
                (_, _) if ends_line => {}
                (_, _) => {
                    self.text.push(byte);
                    self.state = State::Plain;
                }
            }
        }
    }

    fn end_cell(&mut self) {
        if self.ends.len() < MAX_COLUMNS {
            self.ends.push(self.text.len() as u32);
        }
    }

    fn finish(mut self, line: u64) -> Record {
        self.end_cell();
        let fault = std::str::from_utf8(&self.text).err().map(|error| {
            let at = error.valid_up_to();
            let cell = self.ends.partition_point(|end| *end as usize <= at);
            (cell, encoding_message(self.text[at]))
        });
        let (text, ends) = match String::from_utf8(self.text) {
            Ok(text) => (text, self.ends),
            Err(error) => lossy(error.as_bytes(), &self.ends),
        };
        let too_long =
            (text.len() > MAX_RECORD_BYTES).then(|| (0, "the row is larger than 4 MiB".to_owned()));
        Record { line, text, ends, fault: fault.or(too_long) }
    }

    /// The cells that were complete when the first line ended.
    fn only_first_line(self, line: u64, first: &[u8]) -> Record {
        let mut again = Self::new(self.delimiter);
        again.feed(first);
        again.finish(line)
    }
}

fn lossy(text: &[u8], ends: &[u32]) -> (String, Vec<u32>) {
    let mut out = String::with_capacity(text.len());
    let mut new_ends = Vec::with_capacity(ends.len());
    let mut start = 0;
    for end in ends {
        out.push_str(&String::from_utf8_lossy(&text[start..*end as usize]));
        new_ends.push(out.len() as u32);
        start = *end as usize;
    }
    (out, new_ends)
}

fn encoding_message(byte: u8) -> String {
    // In Windows-1252 everything from 0xA0 on is the code point of the same number.
    if byte >= 0xa0 {
        format!(
            "not UTF-8: byte 0x{byte:02X} would be {:?} in Windows-1252; save the file as UTF-8",
            char::from(byte)
        )
    } else {
        format!("not UTF-8: byte 0x{byte:02X}; save the file as UTF-8")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Vec<Record> {
        let mut rows = Rows::new(bytes).unwrap();
        let mut records = Vec::new();
        while let Some(record) = rows.next_record().unwrap() {
            records.push(record);
        }
        records
    }

    fn cells(record: &Record) -> Vec<&str> {
        record.cells().collect()
    }

    #[test]
    fn lines_are_physical_ones_through_blank_lines_and_quoted_breaks() {
        let records = read(b"\xef\xbb\xbfa,b\r\n1,\"x\r\ny\"\r\n\r\n\r\n2,z\r\n");
        let lines: Vec<u64> = records.iter().map(|r| r.line).collect();
        assert_eq!(lines, [1, 2, 6]);
        assert_eq!(cells(&records[1]), ["1", "x\r\ny"]);
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_only_its_own_line() {
        let records = read(b"a,b\n1,\"open\n2,x\n3,y\n");
        assert_eq!(records.len(), 4);
        assert!(records[1].fault.as_ref().is_some_and(|(cell, _)| *cell == 1));
        assert_eq!((records[2].line, cells(&records[2])), (3, vec!["2", "x"]));
        assert_eq!(records[3].line, 4);
    }

    #[test]
    fn a_file_of_quotes_that_are_never_closed_is_read_about_twice() {
        // Each line leaves its quote open, and leaves open one that is open before it.
        let file = "x\"y,\"z\n".repeat(300_000);
        let mut rows = Rows::new(file.as_bytes()).unwrap();
        let mut records = 0;
        while let Some(record) = rows.next_record().unwrap() {
            records += 1;
            assert_eq!((record.line, record.fault.is_some()), (records, true));
        }
        assert_eq!(records, 300_000);
        assert!(rows.lines < 3 * records, "{} lines were looked at", rows.lines);
    }

    #[test]
    fn what_follows_a_quote_that_is_never_closed_is_read_as_ever() {
        let records = read(b"a,b\nx\"y,\"z\nx\"y,\"z\nc,d\n");
        let faults: Vec<bool> = records.iter().map(|r| r.fault.is_some()).collect();
        assert_eq!(faults, [false, true, true, false]);
        assert_eq!(cells(&records[3]), ["c", "d"]);
    }

    #[test]
    fn other_encodings_are_named_with_their_line_and_cell() {
        let records = read(b"a,b\nok,Caf\xe9\n");
        let (cell, message) = records[1].fault.clone().unwrap();
        assert_eq!(cell, 1);
        assert!(message.contains("'é' in Windows-1252"), "{message}");
        assert!(matches!(Rows::new(&b"\xff\xfea\0"[..]), Err(FileError::Utf16)));
    }

    #[test]
    fn semicolons_tabs_and_old_line_ends_are_understood() {
        assert_eq!(cells(&read(b"a;b\n1;2,5\n")[1]), ["1", "2,5"]);
        assert_eq!(cells(&read(b"a\tb\n1\t2\n")[1]), ["1", "2"]);
        let records = read(b"a,b\r1,2\r3,4\r");
        assert_eq!((records.len(), records[2].line), (3, 3));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            if let Ok(mut rows) = Rows::new(&bytes[..]) {
                while rows.next_record().unwrap().is_some() {}
            }
        }

        #[test]
        fn what_the_csv_crate_writes_is_read(table in prop::collection::vec(
            prop::collection::vec("[a-z,;\"\n\r ]{0,8}", 3), 1..8)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["a", "b", "c"]).unwrap();
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            let records = read(&bytes);
            let wanted: Vec<&Vec<String>> = table
                .iter()
                .filter(|row| row.iter().any(|cell| !cell.trim().is_empty()))
                .collect();
            prop_assert_eq!(records.len() - 1, wanted.len());
            for (record, row) in records[1..].iter().zip(wanted) {
                prop_assert_eq!(cells(record), row.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
    }
}
