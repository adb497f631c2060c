//! Requests that two programs could read differently.
//!
//! hyper drops a `Content-Length` beside a `Transfer-Encoding` and folds equal lengths into one, as
//! it may; but a proxy in front of us may have read the request the other way (request smuggling,
//! RFC 9112, 11.2). Such heads are refused, and hyper does not show them any more; so the bytes of
//! each head are looked at as they come in. Several requests may come in one piece, so bodies are
//! followed to where the next head begins. What cannot be followed with certainty counts as
//! ambiguous: this reads less than hyper does, never more.

use super::framing::{Framing, judge};

/// Longer heads, chunk headers and trailers are refused by the server's own limits.
const MOST: usize = 64 * 1024;
/// How a connection of HTTP/2 begins (RFC 9113, 3.4); no HTTP/1 method does.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Follows the requests of one connection.
pub(super) struct HeadScan {
    at: At,
    /// The head, chunk header or trailer that is being read.
    text: Vec<u8>,
    /// Heads that were complete.
    heads: u64,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// The first bytes of the connection.
    Start,
    Http2,
    Head,
    /// So many bytes of a body, or of a chunk with its line end.
    Body(u64),
    ChunkHeader,
    Chunk(u64),
    Trailer,
    Lost,
}

/// What was learnt from some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Nothing,
    Http2,
    /// The request of this number, counted from 0, and all after it cannot be trusted to begin and
    /// end where they seem to.
    Ambiguous(u64),
}

impl Default for HeadScan {
    fn default() -> Self {
        Self { at: At::Start, text: Vec::new(), heads: 0 }
    }
}

impl HeadScan {
    /// Takes bytes as they were read.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Seen {
        while !bytes.is_empty() {
            bytes = match self.at {
                At::Start => self.start(bytes),
                At::Head => self.head(bytes),
                At::Body(left) => self.skip(bytes, left, At::Head, At::Body),
                At::Chunk(left) => self.skip(bytes, left, At::ChunkHeader, At::Chunk),
                At::ChunkHeader => self.chunk_header(bytes),
                At::Trailer => self.trailer(bytes),
                At::Http2 | At::Lost => return Seen::Nothing,
            };
            match self.at {
                At::Http2 => return Seen::Http2,
                At::Lost => return Seen::Ambiguous(self.heads),
                _ => {}
            }
        }
        Seen::Nothing
    }

    fn start<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let before = self.text.len();
        let wanted = &PREFACE[before..];
        let taken = wanted.len().min(bytes.len());
        if bytes[..taken] != wanted[..taken] {
            self.at = At::Head;
            // What looked like a preface so far is the beginning of a head.
            return bytes;
        }
        self.text.extend_from_slice(&bytes[..taken]);
        if self.text.len() == PREFACE.len() {
            self.text = Vec::new();
            self.at = At::Http2;
        }
        &bytes[taken..]
    }

    fn head<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        let before = self.text.len();
        if before == 0 {
            // Empty lines before a request line are passed over (RFC 9112, 2.2).
            let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            bytes = &bytes[blank..];
        }
        self.text.extend_from_slice(bytes);
        let Some(end) = end_of_head(&self.text, before.saturating_sub(3)) else {
            if self.text.len() > MOST {
                self.at = At::Lost;
            }
            return &[];
        };
        let framing = judge(&self.text[..end]);
        self.text.clear();
        self.at = match framing {
            Framing::Empty => At::Head,
            Framing::Length(length) => At::Body(length),
            Framing::Chunked => At::ChunkHeader,
            Framing::Ambiguous => At::Lost,
        };
        if self.at != At::Lost {
            self.heads += 1;
        }
        &bytes[end - before..]
    }

    fn skip<'a>(&mut self, bytes: &'a [u8], left: u64, then: At, still: fn(u64) -> At) -> &'a [u8] {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let left = left - taken as u64;
        self.at = if left == 0 { then } else { still(left) };
        &bytes[taken..]
    }

    fn chunk_header<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(rest) = self.line(bytes) else { return &[] };
        let size = super::framing::chunk_size(&self.text);
        self.text.clear();
        self.at = match size {
            Some(0) => At::Trailer,
            // With the line end behind it.
            Some(size) => At::Chunk(size.saturating_add(2)),
            None => At::Lost,
        };
        rest
    }

    fn trailer<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(rest) = self.line(bytes) else { return &[] };
        let (is_last, is_line) = (self.text == b"\r\n", self.text.ends_with(b"\r\n"));
        self.text.clear();
        self.at = match (is_last, is_line) {
            (true, _) => At::Head,
            (false, true) => At::Trailer,
            (false, false) => At::Lost,
        };
        rest
    }

    /// Collects a line with its end; the bytes behind it once it is there.
    fn line<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        self.text.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
        if end.is_none() && self.text.len() > MOST {
            self.at = At::Lost;
        }
        end.map(|end| &bytes[end..])
    }
}

/// Where the empty line ends that ends a head. Line feeds alone are line ends to hyper too.
fn end_of_head(text: &[u8], from: usize) -> Option<usize> {
    (from..text.len()).filter(|at| text[*at] == b'\n').find_map(|at| match &text[at + 1..] {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TWO_WAYS: &str =
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nhost: x\r\nTRANSFER-encoding: chunked\r\n\r\n";

    /// What is seen when the bytes come in pieces of this size.
    fn seen(bytes: &[u8], piece: usize) -> Seen {
        let mut scan = HeadScan::default();
        let all = bytes.chunks(piece).map(|bytes| scan.take(bytes));
        all.into_iter().find(|seen| *seen != Seen::Nothing).unwrap_or(Seen::Nothing)
    }

    fn every_way(text: &str, expected: Seen) {
        for piece in 1..=text.len() {
            assert_eq!(seen(text.as_bytes(), piece), expected, "pieces of {piece}: {text:?}");
        }
    }

    #[test]
    fn two_ways_to_tell_the_length_are_found_however_the_bytes_arrive() {
        every_way(TWO_WAYS, Seen::Ambiguous(0));
        every_way(&format!("\r\n\r\n{TWO_WAYS}"), Seen::Ambiguous(0));
        every_way(&TWO_WAYS.replace("\r\n", "\n"), Seen::Ambiguous(0));
    }

    #[test]
    fn a_request_behind_another_in_one_piece_is_looked_at_too() {
        let get = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        let post = "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc";
        let chunked = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n\
                       3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\n";
        for first in [get, post, chunked] {
            every_way(&format!("{first}{TWO_WAYS}"), Seen::Ambiguous(1));
            every_way(&format!("{first}{first}{get}"), Seen::Nothing);
            every_way(&format!("{get}{first}\r\n{TWO_WAYS}"), Seen::Ambiguous(2));
        }
    }

    #[test]
    fn a_body_is_not_a_head_whatever_it_holds() {
        let body = format!("{TWO_WAYS}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let post = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        every_way(&post, Seen::Nothing);
        every_way(&format!("{post}{TWO_WAYS}"), Seen::Ambiguous(1));
    }

    #[test]
    fn chunks_that_cannot_be_followed_end_the_trust_in_what_comes_next() {
        let head = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        for chunk in ["x\r\n", "\r\n", "3\n", "-3\r\n", "11111111111111111\r\n", "0\r\n\n"] {
            every_way(&format!("{head}{chunk}"), Seen::Ambiguous(1));
        }
    }

    #[test]
    fn http2_is_known_by_its_preface_at_the_very_beginning_only() {
        let preface = String::from_utf8(PREFACE.to_vec()).unwrap();
        every_way(&preface, Seen::Http2);
        let mut scan = HeadScan::default();
        assert_eq!(scan.take(PREFACE), Seen::Http2);
        assert_eq!(scan.take(TWO_WAYS.as_bytes()), Seen::Nothing);
        every_way(&format!("PRI * HTTP/2.0\r\nx: y\r\n\r\n{TWO_WAYS}"), Seen::Ambiguous(1));
    }

    proptest! {
        #[test]
        fn any_bytes_are_followed_without_a_panic_and_alike_in_any_pieces(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), piece in 1_usize..20
        ) {
            prop_assert_eq!(seen(&bytes, piece), seen(&bytes, 1));
        }

        #[test]
        fn requests_in_a_row_are_followed_in_any_pieces(
            lengths in proptest::collection::vec(0_usize..40, 1..6), piece in 1_usize..50
        ) {
            let posts = lengths.iter().map(|length| {
                let body = "\n".repeat(*length);
                format!("POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{body}")
            });
            let text = posts.collect::<String>() + TWO_WAYS;
            prop_assert_eq!(seen(text.as_bytes(), piece), Seen::Ambiguous(lengths.len() as u64));
        }
    }
}
