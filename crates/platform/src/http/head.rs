//! Requests that two programs could read differently.
//!
//! hyper drops a `Content-Length` beside a `Transfer-Encoding` and folds equal lengths into one, as
//! it may; but a proxy in front of us may have read the request the other way (request smuggling,
//! RFC 9112, 11.2). Such heads are refused, and hyper does not show them any more; so the bytes of
//! each head are looked at as they come in.

/// Longer heads are refused by the server's own limit.
const MOST: usize = 64 * 1024;

/// Collects the head that is being read.
#[derive(Default)]
pub(super) struct HeadScan {
    head: Vec<u8>,
    /// The head was complete: what follows is body until the next head is awaited.
    complete: bool,
}

impl HeadScan {
    /// The next byte begins a new head.
    pub(super) fn expect_head(&mut self) {
        if self.complete {
            self.complete = false;
            self.head.clear();
        }
    }

    /// Takes bytes as they were read; true when they completed an ambiguous head.
    pub(super) fn take(&mut self, bytes: &[u8]) -> bool {
        if self.complete {
            return false;
        }
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        // The end may lie across two reads.
        let from = before.saturating_sub(3);
        let end = self.head[from..].windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end.map(|at| from + at) else {
            self.complete = self.head.len() > MOST;
            return false;
        };
        self.complete = true;
        is_ambiguous(&self.head[..end])
    }
}

fn is_ambiguous(head: &[u8]) -> bool {
    let (mut lengths, mut encodings) = (0, 0);
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let named = |name: &[u8]| {
            line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        lengths += u32::from(named(b"content-length"));
        encodings += u32::from(named(b"transfer-encoding"));
    }
    lengths + encodings > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ways_to_tell_the_length_are_found_however_the_bytes_arrive() {
        let head = b"POST / HTTP/1.1\r\nContent-Length: 5\r\nhost: x\r\nTRANSFER-encoding: chunked\r\n\r\n";
        for piece in 1..head.len() {
            let mut scan = HeadScan::default();
            let found: Vec<_> = head.chunks(piece).map(|bytes| scan.take(bytes)).collect();
            assert!(found.last().unwrap(), "pieces of {piece}");
            assert_eq!(found.iter().filter(|f| **f).count(), 1);
        }
    }

    #[test]
    fn a_body_is_not_a_head() {
        let mut scan = HeadScan::default();
        assert!(!scan.take(b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n"));
        assert!(!scan.take(b"content-length: 5\r\ncontent-length: 5\r\n\r\n"));
        scan.expect_head();
        assert!(scan.take(b"GET / HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\n"));
    }
}
