//! Postal addresses. Personal data: it lives in identity and in the addresses of carts and orders,
//! nowhere else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

use crate::text::TextError;

/// An ISO 3166-1 alpha-2 country code, in upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, pattern = "^[A-Z]{2}$", example = "DE")]
pub struct CountryCode([u8; 2]);

/// Every officially assigned code of ISO 3166-1 (2024), two letters each.
const ASSIGNED: &str = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW";

impl CountryCode {
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl FromStr for CountryCode {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        let error = TextError("a country is an ISO 3166-1 alpha-2 code in upper case, such as DE");
        let code: [u8; 2] = text.as_bytes().try_into().map_err(|_| error.clone())?;
        if ASSIGNED.as_bytes().chunks_exact(2).any(|assigned| assigned == code) {
            Ok(Self(code))
        } else {
            Err(error)
        }
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl Serialize for CountryCode {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}
impl<'de> Deserialize<'de> for CountryCode {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// Where something is sent or billed. Every text has 1 to 255 characters once checked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    #[schema(min_length = 1, max_length = 255, example = "Ada Lovelace")]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255)]
    pub company: Option<String>,
    #[schema(min_length = 1, max_length = 255, example = "Hauptstraße 1")]
    pub line1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255)]
    pub line2: Option<String>,
    #[schema(min_length = 1, max_length = 255, example = "Berlin")]
    pub city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32, example = "10115")]
    pub postal_code: Option<String>,
    /// State, province or county as its local code (`CA`, `BY`); tax rates may depend on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32)]
    pub region: Option<String>,
    pub country: CountryCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32, example = "+49 30 123456")]
    pub phone: Option<String>,
}

/// Personal data: a debug print shows the country only.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({}, …)", self.country)
    }
}

impl Address {
    /// The fields that break a rule, each under `prefix`.
    pub fn check(&self, prefix: &str) -> Vec<crate::FieldError> {
        let mut errors = Vec::new();
        let mut field = |name: &str, text: Option<&str>, required: bool, max: usize| {
            let Some(text) = text else { return };
            let length = text.chars().count();
            if (required && text.trim().is_empty()) || length > max {
                let least = u8::from(required);
                errors.push(crate::FieldError::new(
                    format!("{prefix}.{name}"),
                    format!("has {least} to {max} characters, not {length}"),
                ));
            } else if text.chars().any(char::is_control) {
                errors.push(crate::FieldError::new(
                    format!("{prefix}.{name}"),
                    "must not contain control characters",
                ));
            }
        };
        field("name", Some(&self.name), true, 255);
        field("company", self.company.as_deref(), false, 255);
        field("line1", Some(&self.line1), true, 255);
        field("line2", self.line2.as_deref(), false, 255);
        field("city", Some(&self.city), true, 255);
        field("postal_code", self.postal_code.as_deref(), false, 32);
        field("region", self.region.as_deref(), false, 32);
        field("phone", self.phone.as_deref(), false, 32);
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_assigned_ones() {
        assert_eq!(ASSIGNED.len(), 249 * 2);
        assert!("DE".parse::<CountryCode>().is_ok());
        for bad in ["de", "ED", "XX", "D", "DEU", "ÄÖ"] {
            assert!(bad.parse::<CountryCode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bad_address_names_its_fields() {
        let address = Address {
            name: " ".into(),
            company: None,
            line1: "x".repeat(256),
            line2: None,
            city: "Berlin".into(),
            postal_code: Some("1\n2".into()),
            region: None,
            country: "DE".parse().unwrap(),
            phone: None,
        };
        let fields: Vec<_> = address.check("shipping").into_iter().map(|e| e.field).collect();
        assert_eq!(fields, ["shipping.name", "shipping.line1", "shipping.postal_code"]);
        assert_eq!(format!("{address:?}"), "Address(DE, …)");
    }
}
