//! What an operator may choose.

use kernel::{Currency, Locale};
use serde::{Deserialize, Serialize};

use crate::application::Settings;

/// The section `[catalog]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The shop's own currency (ISO 4217): of imported prices that name none, and of filters and
    /// sorting that ask for none. `EUR` unless said otherwise.
    pub currency: Currency,
    /// The shop's own locale: of imported texts that name none, and what a shopper reads whose
    /// languages a text does not have. `en` unless said otherwise.
    pub locale: Locale,
}

impl Default for Config {
    fn default() -> Self {
        Self { currency: Currency::EUR, locale: "en".parse().expect("a language of two letters") }
    }
}

impl Config {
    pub(crate) fn settings(&self) -> Settings {
        Settings { currency: self.currency, locale: self.locale.clone() }
    }
}
