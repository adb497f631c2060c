//! Paths that try to be something else.

use super::Problem;

/// Refuses encoded slashes, backslashes and zero bytes, empty segments and dot segments: a path is
/// matched once, as it was sent, and nothing behind us may read it otherwise.
pub fn check(path: &str) -> Result<(), Problem> {
    if path.len() > 8192 {
        return Err(refuse("the path is longer than 8192 bytes"));
    }
    let bytes = path.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let rest = &bytes[at + 1..];
        match byte {
            b'\\' => return Err(refuse("a backslash")),
            b'/' if rest.first() == Some(&b'/') => return Err(refuse("an empty segment")),
            b'/' if is_dots(rest) => return Err(refuse("a dot segment")),
            b'%' => match rest.get(..2).map(<[u8]>::to_ascii_lowercase).as_deref() {
                Some(b"2f" | b"5c" | b"00") => {
                    return Err(refuse("an encoded slash, backslash or zero"));
                }
                Some([a, b]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {}
                _ => return Err(refuse("a % without two hexadecimal digits")),
            },
            _ => {}
        }
    }
    Ok(())
}

/// A segment of one or two dots, each plain or as `%2e`.
fn is_dots(rest: &[u8]) -> bool {
    let segment = rest.split(|b| *b == b'/').next().unwrap_or_default();
    if !matches!(segment.first(), Some(b'.' | b'%')) || segment.len() > 6 {
        return false;
    }
    let plain = String::from_utf8_lossy(segment).to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

fn refuse(what: &str) -> Problem {
    Problem::invalid_field("path", format!("must not hold {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_hide_something_are_refused() {
        for path in [
            "/v1//carts",
            "/v1/../admin",
            "/v1/.",
            "/..",
            "/v1/%2e%2E/x",
            "/v1/a%2fb",
            "/v1/a%5Cb",
            "/v1/a%00",
            "/v1/a\\b",
            "/v1/%",
            "/v1/%zz",
            "/v1/.%2e/x",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
        for path in ["/", "/v1/carts", "/v1/a.b", "/v1/...", "/.well-known/jwks.json", "/v1/a%20b/"]
        {
            assert!(check(path).is_ok(), "{path}");
        }
    }
}
