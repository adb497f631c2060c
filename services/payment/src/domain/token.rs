//! The provider's token for a way to pay.

use std::fmt;
use std::str::FromStr;

use kernel::text::TextError;
use serde::{Deserialize, Deserializer, Serialize, de};

/// What a shop front received from the provider's own form: 1 to 255 printable ASCII characters
/// without spaces. Never a card number: a text that could be one is refused, so that none is ever
/// stored. A debug print does not show it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PaymentToken(String);

impl PaymentToken {
    pub const MAX_CHARS: usize = 255;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PaymentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentToken(…)")
    }
}

impl FromStr for PaymentToken {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > Self::MAX_CHARS || !printable {
            return Err(TextError(
                "a payment token has 1 to 255 printable ASCII characters and no spaces",
            ));
        }
        if looks_like_card_number(text) {
            return Err(TextError(
                "this looks like a card number: send the provider's token, never the card",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for PaymentToken {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// 13 to 19 digits, with or without hyphens, whose last is right by Luhn's formula
/// (ISO/IEC 7812-1).
pub fn looks_like_card_number(text: &str) -> bool {
    let mut digits = [0_u32; 19];
    let mut count = 0;
    for character in text.chars().filter(|c| *c != '-' && *c != ' ') {
        let Some(digit) = character.to_digit(10) else {
            return false;
        };
        if count == digits.len() {
            return false;
        }
        digits[count] = digit;
        count += 1;
    }
    let sum: u32 = digits[..count]
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    count >= 13 && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_refused_in_any_spelling() {
        for number in ["4242424242424242", "4242-4242-4242-4242", "378282246310005"] {
            assert!(looks_like_card_number(number), "{number}");
            assert!(number.parse::<PaymentToken>().is_err(), "{number}");
        }
        for other in ["4242424242424241", "tok_approved", "1234", "", "42424242424242424242"] {
            assert!(!looks_like_card_number(other), "{other}");
        }
    }

    #[test]
    fn tokens_are_short_printable_and_not_printed() {
        assert!("tok_approved".parse::<PaymentToken>().is_ok());
        for bad in ["", "a b", "tök", "a\n", &"x".repeat(256)] {
            assert!(bad.parse::<PaymentToken>().is_err(), "{bad:?}");
        }
        let token: PaymentToken = "tok_secret".parse().unwrap();
        assert!(!format!("{token:?}").contains("secret"));
    }
}
