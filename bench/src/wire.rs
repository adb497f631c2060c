//! HTTP/1.1 as bytes: as much of it as a client of one known server needs.

/// A head that is longer is refused.
const MAX_HEAD: usize = 32 * 1024;
/// A body that is longer is refused.
pub const MAX_BODY: usize = 256 * 1024 * 1024;

/// The head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    /// Where the body begins.
    pub length: usize,
    pub body: Framing,
    /// The server ends the connection after this answer.
    pub close: bool,
}

/// How one knows where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length(usize),
    Chunked,
}

/// What cannot be the answer of a sane server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// Appends a request with a JSON body (none when it is empty).
pub fn write_request(
    out: &mut Vec<u8>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) {
    for part in [method, " ", path, " HTTP/1.1\r\nhost: shop\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    for (name, value) in headers {
        for part in [name, ": ", value, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    if !body.is_empty() {
        out.extend_from_slice(b"content-type: application/json\r\n");
    }
    if !body.is_empty() || method != "GET" {
        out.extend_from_slice(b"content-length: ");
        push_number(out, body.len());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body.as_bytes());
}

fn push_number(out: &mut Vec<u8>, number: usize) {
    use std::io::Write as _;
    let _ = write!(out, "{number}");
}

/// Reads a head; `None` while its end has not come.
pub fn parse_head(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if bytes.len() > MAX_HEAD {
            Err(Malformed("the head has no end"))
        } else {
            Ok(None)
        };
    };
    let mut lines = bytes[..end].split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let status = lines.next().and_then(parse_status).ok_or(Malformed("the status line"))?;
    let mut head = Head { status, length: end + 4, body: Framing::Length(0), close: false };
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return Err(Malformed("a header without a colon"));
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            head.body = Framing::Length(parse_decimal(value).ok_or(Malformed("content-length"))?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Malformed("transfer-encoding"));
            }
            head.body = Framing::Chunked;
        } else if name.eq_ignore_ascii_case(b"connection") {
            head.close = value.eq_ignore_ascii_case(b"close");
        }
    }
    if status == 204 || status == 304 {
        head.body = Framing::Length(0);
    }
    Ok(Some(head))
}

fn parse_status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.1 ")?;
    let status = parse_decimal(rest.get(..3)?)?;
    (100..600).contains(&status).then_some(status as u16)
}

fn parse_decimal(digits: &[u8]) -> Option<usize> {
    let fits = (1..=12).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    let value = fits.then(|| digits.iter().fold(0, |sum, d| sum * 10 + usize::from(d - b'0')))?;
    (value <= MAX_BODY).then_some(value)
}

/// Takes the chunks of a whole chunked body apart into `out`. `None` while its end has not come;
/// then `out` is empty. Answers how long the body was on the wire.
pub fn decode_chunks(bytes: &[u8], out: &mut Vec<u8>) -> Result<Option<usize>, Malformed> {
    out.clear();
    let mut at = 0;
    while let Some(end) = bytes[at..].windows(2).position(|two| two == b"\r\n") {
        let line = &bytes[at..at + end];
        let size = line.split(|byte| *byte == b';').next().and_then(parse_hex);
        let size = size.ok_or(Malformed("the size of a chunk"))?;
        let data = at + end + 2;
        let Some(chunk) = bytes.get(data..data + size + 2) else { break };
        if !chunk.ends_with(b"\r\n") {
            return Err(Malformed("the end of a chunk"));
        }
        at = data + size + 2;
        if size == 0 {
            return Ok(Some(at));
        }
        out.extend_from_slice(&chunk[..size]);
        if out.len() > MAX_BODY {
            return Err(Malformed("a body without an end"));
        }
    }
    out.clear();
    Ok(None)
}

fn parse_hex(digits: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(digits.trim_ascii()).ok()?;
    usize::from_str_radix(text, 16).ok().filter(|size| *size <= MAX_BODY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole_and_not_before() {
        let text =
            b"HTTP/1.1 201 Created\r\nContent-Length: 12\r\nETag: \"1\"\r\n\r\n{\"a\":\"bcd\"}";
        let end = text.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        for cut in 0..end {
            assert_eq!(parse_head(&text[..cut]), Ok(None), "{cut}");
        }
        let head = Head { status: 201, length: end, body: Framing::Length(12), close: false };
        assert_eq!(parse_head(text), Ok(Some(head)));
    }

    #[test]
    fn framing_and_closing_are_understood_in_any_case_of_letters() {
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\nconnection: Close\r\n\r\n";
        let head = parse_head(chunked).unwrap().unwrap();
        assert_eq!((head.body, head.close), (Framing::Chunked, true));
        let empty = parse_head(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap();
        assert_eq!((empty.body, empty.close), (Framing::Length(0), false));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "HTTP/1.0 200 OK\r\n\r\n",
            "HTTP/1.1 20\r\n\r\n",
            "HTTP/1.1 999 Odd\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
        ] {
            assert!(parse_head(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse_head(&vec![b'a'; MAX_HEAD + 1]).is_err());
    }

    #[test]
    fn chunks_are_joined_once_the_last_one_is_there() {
        let text = b"4\r\nMerc\r\n2;x=y\r\nat\r\n0\r\n\r\nHTTP";
        let mut out = Vec::new();
        for cut in 0..text.len() - 4 {
            assert_eq!(decode_chunks(&text[..cut], &mut out), Ok(None), "{cut}");
        }
        assert_eq!(decode_chunks(text, &mut out), Ok(Some(text.len() - 4)));
        assert_eq!(out, b"Mercat");
        assert!(decode_chunks(b"zz\r\n", &mut out).is_err());
        assert!(decode_chunks(b"1\r\nabc\r\n", &mut out).is_err());
    }

    #[test]
    fn a_request_says_how_long_its_body_is() {
        let mut out = Vec::new();
        write_request(&mut out, "POST", "/v1/carts", &[("cart-secret", "s")], "{}");
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "POST /v1/carts HTTP/1.1\r\nhost: shop\r\ncart-secret: s\r\n\
             content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
        );
        let mut out = Vec::new();
        write_request(&mut out, "GET", "/", &[], "");
        assert_eq!(out, b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
    }
}
