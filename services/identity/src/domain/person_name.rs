//! Names of people. Personal data.

use std::fmt;
use std::str::FromStr;

use kernel::utoipa::openapi::RefOr;
use kernel::utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use kernel::utoipa::{PartialSchema, ToSchema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// What a person calls themselves: 1 to 255 characters, none of them a control character.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PersonName(String);

impl PersonName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PersonName {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let chars = text.chars().count();
        if text.trim().is_empty() || chars > 255 || text.chars().any(char::is_control) {
            Err("a name has 1 to 255 printable characters")
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl<'de> Deserialize<'de> for PersonName {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// Personal data: a debug print must not put it into a log.
impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(…)")
    }
}

impl PartialSchema for PersonName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some(r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"))
            .examples(["Ada Lovelace"])
            .into()
    }
}
impl ToSchema for PersonName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printable_and_never_printed() {
        for good in ["Ada", "María-José O'Neill", "王", &"x".repeat(255)] {
            assert!(good.parse::<PersonName>().is_ok(), "{good}");
        }
        for bad in ["", " ", "a\nb", "\u{85}", &"x".repeat(256)] {
            assert!(bad.parse::<PersonName>().is_err(), "{bad:?}");
        }
        let name: PersonName = "Ada".parse().unwrap();
        assert_eq!(format!("{name:?}"), "PersonName(…)");
    }
}
