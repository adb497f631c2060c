//! Texts in several languages, one of which a shopper sees.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

/// A BCP 47 language tag of the form `en` or `pt-BR`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^[a-z]{2,3}(-[A-Z]{2})?$", example = "en")]
pub struct Locale(String);

impl Locale {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language alone: `pt` for `pt-BR`.
    pub fn language(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }
}

impl FromStr for Locale {
    type Err = crate::text::TextError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = crate::text::TextError("a locale looks like en or pt-BR");
        let (language, region) = match text.split_once('-') {
            Some((language, region)) => (language, Some(region)),
            None => (text, None),
        };
        let language_fits =
            (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
        let region_fits =
            region.is_none_or(|r| r.len() == 2 && r.bytes().all(|b| b.is_ascii_alphabetic()));
        if !language_fits || !region_fits {
            return Err(error);
        }
        let mut tag = language.to_ascii_lowercase();
        if let Some(region) = region {
            tag.push('-');
            tag.push_str(&region.to_ascii_uppercase());
        }
        Ok(Self(tag))
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Locale {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// A text by locale. `{ "en": "Mug", "de": "Becher" }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = BTreeMap<String, String>, example = json!({"en": "Mug", "de": "Becher"}))]
pub struct LocalizedText(pub BTreeMap<Locale, String>);

impl LocalizedText {
    pub fn of(locale: Locale, text: impl Into<String>) -> Self {
        Self(BTreeMap::from([(locale, text.into())]))
    }

    /// The text for the first wanted locale that exists (exactly, then by language), else the
    /// fallback's, else any. `""` only when there is no text at all.
    pub fn choose(&self, wanted: &[Locale], fallback: &Locale) -> &str {
        wanted
            .iter()
            .chain(std::iter::once(fallback))
            .find_map(|locale| {
                self.0.get(locale).or_else(|| {
                    self.0.iter().find(|(l, _)| l.language() == locale.language()).map(|(_, t)| t)
                })
            })
            .or_else(|| self.0.values().next())
            .map_or("", String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.0.values().all(String::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_text_is_chosen() {
        let locale = |tag: &str| tag.parse::<Locale>().unwrap();
        let mut text = LocalizedText::of(locale("en"), "Mug");
        text.0.insert(locale("de"), "Becher".into());
        assert_eq!(text.choose(&[locale("de-AT")], &locale("en")), "Becher");
        assert_eq!(text.choose(&[locale("fr")], &locale("en")), "Mug");
        assert_eq!(text.choose(&[], &locale("fr")), "Becher");
        assert_eq!(LocalizedText::default().choose(&[], &locale("en")), "");
        assert_eq!(locale("PT-br").as_str(), "pt-BR");
        assert!("english".parse::<Locale>().is_err());
    }
}
