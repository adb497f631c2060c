//! Query strings, read strictly: UTF-8, each key once.

use std::borrow::Cow;

use kernel::FieldError;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::{Problem, refuse_card_numbers, shape};

const MAX_BYTES: usize = 8192;
const MAX_PAIRS: usize = 64;

/// Reads the parameters of a query string; a problem names the parameter at fault.
pub(super) fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    if query.len() > MAX_BYTES {
        return Err(Problem::invalid_field("query", "is longer than 8192 bytes"));
    }
    let mut seen: Vec<String> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decode(key).ok_or_else(|| not_text("query"))?;
        let value = decode(value).ok_or_else(|| not_text(&key))?;
        refuse_card_numbers(&key, &value)?;
        if seen.contains(&key) {
            return Err(Problem::invalid_field(key, "is given twice"));
        }
        if seen.len() == MAX_PAIRS {
            return Err(Problem::invalid_field("query", "has more than 64 parameters"));
        }
        seen.push(key);
    }
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = error.path().to_string();
        let mut told = shape::field_error(&path, &error.into_inner().to_string());
        if told.field == "body" {
            told = FieldError::new("query", told.message);
        }
        Problem::invalid(vec![told])
    })
}

fn decode(text: &str) -> Option<String> {
    let broken = text.split('%').skip(1).any(|after| {
        !after.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    });
    if broken {
        return None;
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

fn not_text(field: &str) -> Problem {
    Problem::invalid_field(field, "is not percent-encoded UTF-8")
}

#[cfg(test)]
mod tests {
    use super::super::PageParams;
    use super::*;

    fn refused(query: &str) -> String {
        parse::<PageParams>(query).unwrap_err().errors()[0].field.clone()
    }

    #[test]
    fn good_parameters_are_read() {
        let params: PageParams = parse("limit=5&cursor=a%20b+c").unwrap();
        assert_eq!((params.limit, params.cursor.as_deref()), (Some(5), Some("a b c")));
        assert!(parse::<PageParams>("").is_ok());
    }

    #[test]
    fn bad_parameters_are_named() {
        assert_eq!(refused("limit=x"), "limit");
        assert_eq!(refused("limit=-1"), "limit");
        assert_eq!(refused("limit=1&limit=2"), "limit");
        assert_eq!(refused("offset=3"), "offset");
        assert_eq!(refused("cursor=%ff"), "cursor");
        assert_eq!(refused("cursor=%4"), "cursor");
        assert_eq!(refused("cursor=%00"), "cursor");
        assert_eq!(refused(&"a".repeat(9000)), "query");
    }
}
