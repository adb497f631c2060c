//! Short texts with rules: SKUs, handles, e-mail addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TextError(pub &'static str);

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, max $max:literal, pattern $pattern:literal, example $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub const MAX_CHARS: usize = $max;
            pub fn as_str(&self) -> &str {
                &self.0
            }
            pub fn into_string(self) -> String {
                self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                <std::borrow::Cow<'de, str>>::deserialize(d)?.parse().map_err(de::Error::custom)
            }
        }
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length(Some(1))
                    .max_length(Some($max))
                    .pattern(Some($pattern))
                    .examples([$example])
                    .into()
            }
        }
        impl ToSchema for $name {}
    };
}

text!(
    /// A stock keeping unit: 1 to 100 printable characters, no space at either end. Compared
    /// exactly, as warehouses do.
    Sku, max 100, pattern r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$", example "MUG-RED-L"
);

text!(
    /// The part of a URL that names a product or category: lower-case letters and digits of any
    /// script, joined by single hyphens or underscores; 1 to 255 characters.
    Handle, max 255, pattern r"^[^\sA-Z/?#%\x00-\x1f]+$", example "red-mug"
);

text!(
    /// An e-mail address as people use them: `local@domain`, at most 254 characters (RFC 5321),
    /// kept in lower case. Whether it exists is known only when a mail arrives.
    Email, max 254, pattern r"^[^@\s\x00-\x1f]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", example "ada@example.com"
);

impl fmt::Debug for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
/// Personal data: a debug print must not put it into a log.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl FromStr for Sku {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        let fits = !text.is_empty()
            && text.trim() == text
            && text.chars().count() <= Self::MAX_CHARS
            && !text.chars().any(char::is_control);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError("a SKU has 1 to 100 printable characters and no space at its ends"))
        }
    }
}

impl Handle {
    /// Makes a handle of a title: `Größe & Co.` becomes `größe-co`. `None` when nothing is left.
    pub fn from_title(title: &str) -> Option<Self> {
        let mut handle = String::with_capacity(title.len());
        for c in title.chars().flat_map(char::to_lowercase) {
            if c.is_alphanumeric() {
                handle.push(c);
            } else if !handle.is_empty() && !handle.ends_with('-') {
                handle.push('-');
            }
        }
        let handle: String = handle.trim_end_matches('-').chars().take(Self::MAX_CHARS).collect();
        handle.trim_end_matches('-').parse().ok()
    }
}

impl FromStr for Handle {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        let fits = !text.is_empty()
            && text.chars().count() <= Self::MAX_CHARS
            && text
                .chars()
                .all(|c| c == '-' || c == '_' || (c.is_alphanumeric() && !c.is_uppercase()));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError(
                "a handle has 1 to 255 lower-case letters, digits, hyphens and underscores",
            ))
        }
    }
}

impl FromStr for Email {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        let error =
            TextError("an e-mail address looks like name@example.com, at most 254 characters");
        let lower = text.to_lowercase();
        let (local, domain) = lower.rsplit_once('@').ok_or_else(|| error.clone())?;
        let local_fits = !local.is_empty()
            && local.len() <= 64
            && !local.chars().any(|c| c.is_whitespace() || c.is_control() || c == '@');
        let domain_fits = domain.contains('.')
            && domain.split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            });
        if local_fits && domain_fits && lower.len() <= Self::MAX_CHARS {
            Ok(Self(lower))
        } else {
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_handles() {
        let handle = |title| Handle::from_title(title).map(Handle::into_string);
        assert_eq!(handle("Größe & Co."), Some("größe-co".into()));
        assert_eq!(handle("  7 Shakra   Bracelet "), Some("7-shakra-bracelet".into()));
        assert_eq!(handle("!!!"), None);
        assert_eq!(handle(&"x".repeat(400)).map(|h| h.len()), Some(255));
    }

    #[test]
    fn email_is_folded_and_checked() {
        assert_eq!("Ada@Example.COM".parse::<Email>().unwrap().as_str(), "ada@example.com");
        for bad in ["", "ada", "ada@", "@x.org", "a b@x.org", "a@x", "a@x..org", "a@x.org\n"] {
            assert!(bad.parse::<Email>().is_err(), "{bad:?}");
        }
        assert_eq!(format!("{:?}", "a@x.org".parse::<Email>().unwrap()), "Email(…)");
    }

    #[test]
    fn skus_are_trimmed_and_printable() {
        assert!("PPS12".parse::<Sku>().is_ok());
        assert!("Ä 1/2".parse::<Sku>().is_ok());
        for bad in ["", " a", "a ", "a\tb", &"x".repeat(101)] {
            assert!(bad.parse::<Sku>().is_err(), "{bad:?}");
        }
    }
}
