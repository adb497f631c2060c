//! Money as whole minor units of an ISO 4217 currency. There are no floats and no silent overflow.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// An active ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    pub const EUR: Self = Self(*b"EUR");
    pub const USD: Self = Self(*b"USD");

    pub fn code(&self) -> &str {
        // The constructor admits ASCII letters only.
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// How many digits the minor unit has: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn exponent(self) -> u32 {
        iso_currency::Currency::from_code(self.code())
            .and_then(iso_currency::Currency::exponent)
            .map_or(2, u32::from)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency(text.chars().take(16).collect());
        iso_currency::Currency::from_code(text).ok_or_else(unknown)?;
        Ok(Self(text.as_bytes().try_into().map_err(|_| unknown())?))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Currency {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[A-Z]{3}$"))
            .description(Some("ISO 4217 code of an active currency."))
            .examples(["EUR"])
            .into()
    }
}
impl ToSchema for Currency {}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("{0:?} is not an ISO 4217 currency code")]
    UnknownCurrency(String),
    #[error("cannot combine {0} with {1}")]
    CurrencyMismatch(Currency, Currency),
    #[error("the amount is too large")]
    Overflow,
    #[error("{0:?} is not an amount with at most {1} decimals")]
    NotAnAmount(String, u32),
}

/// An amount in minor units (cents, yen, fils). `{ "amount": 1999, "currency": "EUR" }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Money {
    #[serde(rename = "amount")]
    amount_minor: i64,
    currency: Currency,
}

/// What is read before it is known to be within [`Money::LIMIT`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Money")]
struct Unchecked {
    amount: i64,
    currency: Currency,
}

impl TryFrom<Unchecked> for Money {
    type Error = MoneyError;
    fn try_from(read: Unchecked) -> Result<Self, MoneyError> {
        Self::within_limit(read.amount, read.currency)
    }
}

impl Money {
    /// No amount may be larger, in either direction: 10^15 minor units. Sums of many stay in range.
    pub const LIMIT: i64 = 1_000_000_000_000_000;

    pub const fn new(amount_minor: i64, currency: Currency) -> Self {
        Self { amount_minor, currency }
    }

    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    pub const fn amount_minor(self) -> i64 {
        self.amount_minor
    }

    pub const fn currency(self) -> Currency {
        self.currency
    }

    pub const fn is_zero(self) -> bool {
        self.amount_minor == 0
    }

    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    pub fn checked_mul(self, factor: i64) -> Result<Self, MoneyError> {
        let amount = self.amount_minor.checked_mul(factor).ok_or(MoneyError::Overflow)?;
        Self::within_limit(amount, self.currency)
    }

    /// Splits into parts in proportion to `weights`; the parts add up to the whole exactly. What
    /// rounding leaves goes to the parts with the largest remainders, earlier parts first
    /// (the largest remainder method). All weights zero: everything goes to the first part.
    pub fn split(self, weights: &[u64]) -> Vec<Self> {
        let total: u128 = weights.iter().map(|w| u128::from(*w)).sum();
        if weights.is_empty() {
            return Vec::new();
        }
        if total == 0 {
            let mut parts = vec![Self::zero(self.currency); weights.len()];
            parts[0] = self;
            return parts;
        }
        let magnitude = u128::from(self.amount_minor.unsigned_abs());
        let mut shares: Vec<u128> = Vec::with_capacity(weights.len());
        let mut remainders: Vec<(u128, usize)> = Vec::with_capacity(weights.len());
        for (index, weight) in weights.iter().enumerate() {
            let product = magnitude * u128::from(*weight);
            shares.push(product / total);
            remainders.push((product % total, index));
        }
        let given: u128 = shares.iter().sum();
        remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, index) in remainders.iter().take((magnitude - given) as usize) {
            shares[*index] += 1;
        }
        let is_owed = self.amount_minor < 0;
        let part = |share: u128| {
            // No share is greater than the whole, and the least amount has no positive of its own.
            let share = share as u64;
            let amount = if is_owed { 0_i64.wrapping_sub_unsigned(share) } else { share as i64 };
            Self::new(amount, self.currency)
        };
        shares.into_iter().map(part).collect()
    }

    /// Reads a decimal such as `19.99` or `42`. More decimals than the currency has are refused
    /// unless they are zeros. An optional leading minus is accepted; a thousands separator is not.
    pub fn parse_decimal(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let exponent = currency.exponent();
        let error = || MoneyError::NotAnAmount(text.chars().take(32).collect(), exponent);
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(error());
        }
        let kept = fraction.get(..(exponent as usize).min(fraction.len())).ok_or_else(error)?;
        if !fraction[kept.len()..].bytes().all(|b| b == b'0') {
            return Err(error());
        }
        let mut amount: i64 = 0;
        let padding = (exponent as usize) - kept.len();
        for byte in whole.bytes().chain(kept.bytes()).chain(std::iter::repeat_n(b'0', padding)) {
            if !byte.is_ascii_digit() {
                return Err(error());
            }
            amount = amount
                .checked_mul(10)
                .and_then(|a| a.checked_add(i64::from(byte - b'0')))
                .ok_or(MoneyError::Overflow)?;
        }
        Self::within_limit(if negative { -amount } else { amount }, currency)
    }

    /// Writes the amount as a plain decimal with the currency's number of digits: `19.99`.
    pub fn to_decimal(self) -> String {
        let exponent = self.currency.exponent() as usize;
        let sign = if self.amount_minor < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", self.amount_minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }

    fn combine(self, other: Self, with: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        let amount = with(self.amount_minor, other.amount_minor).ok_or(MoneyError::Overflow)?;
        Self::within_limit(amount, self.currency)
    }

    fn within_limit(amount: i64, currency: Currency) -> Result<Self, MoneyError> {
        if amount.unsigned_abs() > Self::LIMIT.unsigned_abs() {
            return Err(MoneyError::Overflow);
        }
        Ok(Self::new(amount, currency))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_decimal(), self.currency)
    }
}

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .property(
                "amount",
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .minimum(Some(-Self::LIMIT))
                    .maximum(Some(Self::LIMIT))
                    .description(Some("Minor units: cents for EUR, yen for JPY.")),
            )
            .required("amount")
            .property("currency", Ref::from_schema_name("Currency"))
            .required("currency")
            .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(
                false,
            )))
            .into()
    }
}
impl ToSchema for Money {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("Currency".to_owned(), Currency::schema()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_follow_the_currency() {
        let parse = |text, code: &str| {
            Money::parse_decimal(text, code.parse().unwrap()).map(Money::amount_minor)
        };
        assert_eq!(parse("19.99", "EUR"), Ok(1999));
        assert_eq!(parse("42", "EUR"), Ok(4200));
        assert_eq!(parse("4.160", "EUR"), Ok(416));
        assert_eq!(parse("-0.05", "EUR"), Ok(-5));
        assert_eq!(parse("500", "JPY"), Ok(500));
        assert_eq!(parse("1.234", "KWD"), Ok(1234));
        for bad in ["", ".", "-", "1,000", "1.999", "1e3", "１", "NaN", "1.-1", "--1"] {
            assert!(parse(bad, "EUR").is_err(), "{bad}");
        }
        assert_eq!(parse("99999999999999999999", "EUR"), Err(MoneyError::Overflow));
    }

    #[test]
    fn currencies_do_not_mix() {
        let sum = Money::new(1, Currency::EUR).checked_add(Money::new(1, Currency::USD));
        assert_eq!(sum, Err(MoneyError::CurrencyMismatch(Currency::EUR, Currency::USD)));
        assert!("eur".parse::<Currency>().is_err());
        assert!("XYZ".parse::<Currency>().is_err());
    }

    #[test]
    fn the_least_amount_is_split_like_any_other() {
        let least = Money::new(i64::MIN, Currency::EUR);
        assert_eq!(least.split(&[7]), [least]);
        let halves = Money::new(i64::MIN / 2, Currency::EUR);
        assert_eq!(least.split(&[1, 1]), [halves, halves]);
    }

    proptest! {
        #[test]
        fn splits_add_up(amount in any::<i64>(), weights in prop::collection::vec(any::<u64>(), 1..20)) {
            let parts = Money::new(amount, Currency::EUR).split(&weights);
            prop_assert_eq!(parts.len(), weights.len());
            prop_assert_eq!(parts.iter().map(|p| p.amount_minor()).sum::<i64>(), amount);
        }

        #[test]
        fn decimals_round_trip(amount in -Money::LIMIT..=Money::LIMIT, code in prop::sample::select(vec!["EUR", "JPY", "KWD"])) {
            let money = Money::new(amount, code.parse().unwrap());
            prop_assert_eq!(Money::parse_decimal(&money.to_decimal(), money.currency()), Ok(money));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Money::parse_decimal(&text, Currency::EUR);
        }
    }
}
