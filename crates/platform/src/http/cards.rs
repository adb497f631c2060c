//! Card numbers never enter: a payment is made with a provider's token.
//!
//! A text is taken for a card number when it holds, apart from spaces and hyphens, nothing but
//! 15 to 19 digits that satisfy the Luhn formula (ISO/IEC 7812-1), or 13 to 14 such digits that
//! begin like a card; and when a longer text contains 15 or 16 such digits that begin like a card.
//! EAN-13 and GTIN-14 codes satisfy Luhn one time in ten, so fields whose name ends in a word of
//! [`CODES`] are exempt. JSON numbers are not looked at: amounts and counters are numbers.

use std::fmt::Write as _;

use kernel::{ErrorKind, FieldError};
use serde_json::Value;

use super::Problem;

/// Names of fields that hold other long numbers, alone or as the last word (`seller_sku`).
const CODES: [&str; 8] =
    ["barcode", "sku", "phone", "ean", "gtin", "upc", "isbn", "tracking_number"];

/// Refuses a JSON body with a card number or a U+0000 in any text. Cheap when nothing in it looks
/// like either. What is no JSON at all passes; the reader tells about it.
pub(super) fn check_json(bytes: &[u8]) -> Result<(), Problem> {
    if !suspicious(bytes) {
        return Ok(());
    }
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return Ok(());
    };
    let mut path = String::new();
    match walk(&value, &mut path, "") {
        Some(problem) => Err(problem),
        None => Ok(()),
    }
}

/// Refuses one text that came from outside by other ways than JSON.
pub fn refuse_card_numbers(field: &str, text: &str) -> Result<(), Problem> {
    match refusal(field, field, text) {
        Some(problem) => Err(problem),
        None => Ok(()),
    }
}

/// Thirteen digits with nothing but spaces and hyphens between them, or an escape that could hide
/// one.
fn suspicious(bytes: &[u8]) -> bool {
    let mut digits = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                if digits >= 13 {
                    return true;
                }
            }
            b' ' | b'-' => {}
            b'\\' if bytes[at + 1..].starts_with(b"u00") => return true,
            _ => digits = 0,
        }
    }
    false
}

fn walk(value: &Value, path: &mut String, name: &str) -> Option<Problem> {
    let length = path.len();
    match value {
        Value::String(text) => refusal(if path.is_empty() { "body" } else { path }, name, text),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            let _ = write!(path, "[{index}]");
            let found = walk(item, path, name);
            path.truncate(length);
            found
        }),
        Value::Object(fields) => fields.iter().find_map(|(key, item)| {
            if length > 0 {
                path.push('.');
            }
            path.push_str(key);
            let found = refusal(path, "", key).or_else(|| walk(item, path, key));
            path.truncate(length);
            found
        }),
        _ => None,
    }
}

fn refusal(path: &str, name: &str, text: &str) -> Option<Problem> {
    if text.contains('\0') {
        return Some(Problem::invalid_field(path, "must not contain the character U+0000"));
    }
    if text.len() < 13 || is_code(name) || !holds_card_number(text) {
        return None;
    }
    let message = "looks like a card number; pay with a token of the payment provider";
    let mut problem = Problem::new(
        ErrorKind::Unprocessable,
        "card-number-refused",
        "Card numbers are not accepted in any field.",
    );
    // The path of a key that is itself a number would repeat the number.
    let field = if holds_card_number(path) { "body" } else { path };
    let error = FieldError::new(field, message);
    problem = problem.field(error.field, error.message);
    Some(problem)
}

fn is_code(name: &str) -> bool {
    CODES.iter().any(|code| {
        name.strip_suffix(code).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
    })
}

fn holds_card_number(text: &str) -> bool {
    let only_number = text.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-');
    if only_number {
        let digits = digits_of(text);
        return match digits.len() {
            15..=19 => digits[0] != 0 && luhn(&digits),
            13..=14 => begins_like_a_card(&digits) && luhn(&digits),
            _ => false,
        };
    }
    runs(text).any(|run| {
        let digits = digits_of(run);
        matches!(digits.len(), 15..=16) && begins_like_a_card(&digits) && luhn(&digits)
    })
}

/// Digits joined by single spaces or hyphens, with no letter next to them.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == ' ' || c == '-'))
        .flat_map(|part| part.split(char::is_alphabetic))
        .map(|run| run.trim_matches([' ', '-']))
}

fn digits_of(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect()
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(*digit);
            match at % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Visa 4; Mastercard 51–55 and 2221–2720; American Express 34, 37; Diners 300–305, 36, 38;
/// Discover 6011, 644–649, 65; JCB 3528–3589; UnionPay 62; Maestro 50, 56–58, 67.
fn begins_like_a_card(digits: &[u8]) -> bool {
    let first = |n: usize| digits[..n].iter().fold(0_u32, |all, d| all * 10 + u32::from(*d));
    digits[0] == 4
        || matches!(first(2), 34 | 36 | 37 | 38 | 50..=58 | 62 | 65 | 67)
        || matches!(first(3), 300..=305 | 644..=649)
        || matches!(first(4), 2221..=2720 | 3528..=3589 | 6011)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(body: &str) -> Option<String> {
        check_json(body.as_bytes()).err().map(|p| p.errors()[0].field.clone())
    }

    #[test]
    fn published_test_numbers_are_refused_in_any_field() {
        for number in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "5555-5555-5555-4444",
            "378282246310005",
            "6011111111111117",
            "3530111333300000",
            "4222222222222",
            "30569309025904",
        ] {
            let body = serde_json::json!({"buyer": {"notes": ["x", number]}}).to_string();
            assert_eq!(refused(&body).as_deref(), Some("buyer.notes[1]"), "{number}");
            let body = serde_json::json!({"barcode": number}).to_string();
            assert_eq!(refused(&body), None, "{number}");
        }
    }

    #[test]
    fn a_number_hidden_in_a_sentence_or_in_escapes_is_found() {
        assert!(refused(r#"{"a":"card: 4111 1111 1111 1111, exp 12/30"}"#).is_some());
        assert!(refused(r#"{"a":"\u0034111111111111111"}"#).is_some());
        assert_eq!(refused(r#"{"4111111111111111":1}"#).as_deref(), Some("body"));
    }

    #[test]
    fn other_numbers_pass() {
        for body in [
            r#"{"amount":4111111111111111}"#,
            r#"{"note":"4006381333931"}"#.replace("4006381333931", "5901234123457").as_str(),
            r#"{"a":"4111111111111112"}"#,
            r#"{"a":"0000000000000000"}"#,
            r#"{"a":"2026-11-22T09:30:00.000000Z"}"#,
            r#"{"a":"prod_01h455vb4pex5vsknk084sn02q"}"#,
            r#"{"seller_sku":"4111111111111111"}"#,
        ] {
            assert_eq!(refused(body), None, "{body}");
        }
    }

    #[test]
    fn a_zero_character_is_refused() {
        assert_eq!(refused(r#"{"title":"a\u0000b"}"#).as_deref(), Some("title"));
    }

    proptest! {
        #[test]
        fn whatever_comes_never_panics(text in ".{0,80}") {
            let _ = holds_card_number(&text);
            let _ = check_json(text.as_bytes());
        }

        #[test]
        fn a_wrong_check_digit_is_no_card(body in prop::collection::vec(0_u8..10, 15), other in 1_u8..10) {
            let mut digits = body;
            digits[0] = 4;
            digits.push(0);
            let check = (0..10).find(|d| { digits[15] = *d; luhn(&digits) }).unwrap();
            digits[15] = (check + other) % 10;
            prop_assert!(!luhn(&digits));
        }
    }
}
