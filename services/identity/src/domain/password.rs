//! Passwords in the clear, for the short while between the request and the hash, and what is
//! asked of a new one (OWASP ASVS 5.0, V6.2: length and a list of known ones, no composition rules).

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use kernel::Email;
use kernel::utoipa::openapi::RefOr;
use kernel::utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use kernel::utoipa::{PartialSchema, ToSchema};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::rejection::Rejection;

/// The shortest new password, in characters.
pub const MIN_CHARS: usize = 12;
/// The longest password, in characters.
pub const MAX_CHARS: usize = 128;

/// Passwords of at least twelve characters that lists of leaked ones contain, in lower case.
static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("common_passwords.txt")
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
});

/// A password as typed. Wiped from memory when dropped; never printed, never stored.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The characters themselves. For the hash, and for showing a one-time password once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn chars(&self) -> usize {
        self.0.chars().count()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(Self::new)
    }
}

impl PartialSchema for Password {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .min_length(Some(1))
            .max_length(Some(MAX_CHARS))
            .pattern(Some(r"^[^\x00]+$"))
            .write_only(true)
            .examples(["a whole sentence is easy to remember"])
            .into()
    }
}
impl ToSchema for Password {}

/// Whether `password` may become the password of the account with `email`. The refusal names
/// `field`.
pub fn check(password: &Password, email: &Email, field: &'static str) -> Result<(), Rejection> {
    let weak = |reason| Err(Rejection::WeakPassword { field, reason });
    let chars = password.chars();
    if chars < MIN_CHARS {
        return weak("has at least 12 characters");
    }
    if chars > MAX_CHARS {
        return weak("has at most 128 characters");
    }
    let folded = Zeroizing::new(password.expose().to_lowercase());
    let local = email.as_str().split('@').next().unwrap_or_default();
    if folded.as_str() == email.as_str() || folded.as_str() == local {
        return weak("is not the e-mail address");
    }
    let mut letters = folded.chars();
    let first = letters.next();
    if letters.all(|letter| Some(letter) == first) {
        return weak("is not one character repeated");
    }
    if COMMON.contains(folded.as_str()) {
        return weak("is on the lists of leaked passwords; take another");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(text: &str) -> Option<&'static str> {
        let email = "ada.lovelace@example.com".parse().unwrap();
        match check(&Password::new(text.to_owned()), &email, "password") {
            Err(Rejection::WeakPassword { reason, .. }) => Some(reason),
            other => {
                other.unwrap();
                None
            }
        }
    }

    #[test]
    fn weak_passwords_are_refused_with_the_reason() {
        assert_eq!(refusal("elevenchars"), Some("has at least 12 characters"));
        assert_eq!(refusal(&"ab".repeat(65)), Some("has at most 128 characters"));
        assert_eq!(refusal("Ada.Lovelace@Example.com"), Some("is not the e-mail address"));
        assert_eq!(refusal("ADA.LOVELACE"), Some("is not the e-mail address"));
        assert_eq!(refusal("AaAaAaAaAaAaAaA"), Some("is not one character repeated"));
        let leaked = Some("is on the lists of leaked passwords; take another");
        assert_eq!(refusal("password1234"), leaked);
        assert_eq!(refusal("QwertyUiop123"), leaked);
        assert_eq!(refusal("correct horse battery"), None);
        assert_eq!(refusal("ünïcödé-füßê"), None);
    }

    #[test]
    fn the_list_holds_only_what_the_length_rule_lets_through() {
        assert!(COMMON.len() >= 300, "{}", COMMON.len());
        for entry in COMMON.iter() {
            assert!(entry.chars().count() >= MIN_CHARS, "{entry}");
            assert_eq!(*entry, entry.to_lowercase(), "{entry}");
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        let password = Password::new("hunter2 hunter2".into());
        assert_eq!(format!("{password:?}"), "Password(…)");
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_a_panic(text: String) {
            let verdict = refusal(&text);
            if text.chars().count() < MIN_CHARS {
                prop_assert!(verdict.is_some());
            }
        }
    }
}
