//! How long a request's body is, told by its head: in one way only, or the request is refused.

/// What comes behind a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Empty,
    Length(u64),
    Chunked,
    /// It could be read in two ways.
    Ambiguous,
}

/// Reads a head, from its request line to its empty line. Lines that end in a line feed alone are
/// refused as well: some programs see one line there, some two (RFC 9112, 2.2).
pub(super) fn judge(head: &[u8]) -> Framing {
    let mut framing = Framing::Empty;
    for (number, line) in head.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let Some(line) = line.strip_suffix(b"\r\n") else {
            return Framing::Ambiguous;
        };
        // The request line has no name, and may hold a colon.
        let colon = line.iter().position(|byte| *byte == b':').filter(|_| number > 0);
        let Some(colon) = colon else { continue };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        let told = if name.eq_ignore_ascii_case(b"content-length") {
            length(value).map_or(Framing::Ambiguous, Framing::Length)
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let is_chunked = value.eq_ignore_ascii_case(b"chunked");
            if is_chunked { Framing::Chunked } else { Framing::Ambiguous }
        } else {
            continue;
        };
        if framing != Framing::Empty {
            return Framing::Ambiguous;
        }
        framing = told;
    }
    match framing {
        Framing::Length(0) => Framing::Empty,
        framing => framing,
    }
}

fn length(value: &[u8]) -> Option<u64> {
    number(value, 10)
}

/// The size that a chunk's header tells, with its line end; `None` when it is not plainly one.
pub(super) fn chunk_size(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\r\n")?;
    let size = line.split(|byte| *byte == b';').next()?;
    number(size.trim_ascii_end(), 16).filter(|size| *size < u64::from(u32::MAX) << 16)
}

/// Digits only: no sign, no list.
fn number(text: &[u8], radix: u32) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = !text.is_empty() && text.chars().all(|letter| letter.is_digit(radix));
    if digits { u64::from_str_radix(text, radix).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(lines: &str) -> Framing {
        judge(format!("POST /a:b HTTP/1.1\r\n{lines}\r\n").as_bytes())
    }

    #[test]
    fn one_way_to_tell_the_length_is_read() {
        assert_eq!(judged("host: x\r\n"), Framing::Empty);
        assert_eq!(judged("Content-Length:  12 \r\n"), Framing::Length(12));
        assert_eq!(judged("content-length: 0\r\n"), Framing::Empty);
        assert_eq!(judged("Transfer-Encoding: Chunked\r\n"), Framing::Chunked);
        assert_eq!(judged("content-length-limit: 5\r\ncontent-length: 1\r\n"), Framing::Length(1));
    }

    #[test]
    fn two_ways_and_odd_ones_are_refused() {
        for lines in [
            "content-length: 5\r\ncontent-length: 5\r\n",
            "content-length: 0\r\ncontent-length: 5\r\n",
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            "content-length: 5, 5\r\n",
            "content-length: +5\r\n",
            "content-length: \r\n",
            "content-length: 99999999999999999999\r\n",
            "transfer-encoding: gzip, chunked\r\n",
            "transfer-encoding: identity\r\n",
            "content-length : 5\r\ntransfer-encoding: chunked\r\n",
            "x: y\nz: 5\r\n",
        ] {
            assert_eq!(judged(lines), Framing::Ambiguous, "{lines:?}");
        }
    }

    #[test]
    fn chunk_sizes_are_hexadecimal_digits() {
        assert_eq!(chunk_size(b"1f\r\n"), Some(31));
        assert_eq!(chunk_size(b"A ;name=value\r\n"), Some(10));
        for bad in [&b"1f\n"[..], b"\r\n", b"0x1\r\n", b"-1\r\n", b"ffffffffffffffff\r\n"] {
            assert_eq!(chunk_size(bad), None, "{bad:?}");
        }
    }
}
