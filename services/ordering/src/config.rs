//! `[ordering]` in the configuration.

use std::time::Duration;

use kernel::Locale;
use platform::service::BuildError;
use serde::{Deserialize, Serialize};

use crate::application::Limits;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many days after its last change a cart is kept, 1 to 365.
    pub cart_lifetime_days: u32,
    /// How long a checkout tries to reserve stock, 1,000 to 300,000.
    pub reserve_timeout_ms: u64,
    /// How long stock is held for a checkout, 120 to 86,400. It is also how long an unknown payment
    /// is asked for, less the margin.
    pub reservation_s: u64,
    /// How long before the end of a reservation a checkout is no longer confirmed, 60 to 43,200 and
    /// less than `reservation_s`. It must outlast the longest time that an event may be late.
    pub reservation_margin_s: u64,
    /// After how long another process takes up a checkout that did not end, 5,000 to 600,000.
    pub resume_after_ms: u64,
    /// How long one call to another service may take, 100 to 60,000.
    pub call_timeout_ms: u64,
    /// How many checkouts may run in one process, 1 to 1,000,000; the next one is refused with 503.
    pub max_open_checkouts: u64,
    /// The language of texts when a buyer's have none, such as `en`.
    pub locale: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cart_lifetime_days: 30,
            reserve_timeout_ms: 30_000,
            reservation_s: 900,
            reservation_margin_s: 300,
            resume_after_ms: 30_000,
            call_timeout_ms: 5_000,
            max_open_checkouts: 10_000,
            locale: "en".to_owned(),
        }
    }
}

impl Config {
    /// Says which key is wrong, what it holds and what it may hold.
    pub(crate) fn limits(&self) -> Result<Limits, BuildError> {
        let rules = [
            ("cart_lifetime_days", u64::from(self.cart_lifetime_days), 1..=365),
            ("reserve_timeout_ms", self.reserve_timeout_ms, 1_000..=300_000),
            ("reservation_s", self.reservation_s, 120..=86_400),
            ("reservation_margin_s", self.reservation_margin_s, 60..=43_200),
            ("resume_after_ms", self.resume_after_ms, 5_000..=600_000),
            ("call_timeout_ms", self.call_timeout_ms, 100..=60_000),
            ("max_open_checkouts", self.max_open_checkouts, 1..=1_000_000),
        ];
        for (key, value, allowed) in rules {
            if !allowed.contains(&value) {
                let (from, to) = allowed.into_inner();
                let text = format!("ordering.{key} is {value}; it may be {from} to {to}");
                return Err(BuildError(text));
            }
        }
        if self.reservation_margin_s >= self.reservation_s {
            return Err(BuildError(format!(
                "ordering.reservation_margin_s is {}; it must be less than reservation_s, {}",
                self.reservation_margin_s, self.reservation_s
            )));
        }
        let locale: Locale = self.locale.parse().map_err(|error| {
            BuildError(format!("ordering.locale is {:?}: {error}", self.locale))
        })?;
        Ok(Limits {
            cart_lifetime: Duration::from_hours(24 * u64::from(self.cart_lifetime_days)),
            reserve_timeout: Duration::from_millis(self.reserve_timeout_ms),
            reservation: Duration::from_secs(self.reservation_s),
            reservation_margin: Duration::from_secs(self.reservation_margin_s),
            resume_after: Duration::from_millis(self.resume_after_ms),
            call_timeout: Duration::from_millis(self.call_timeout_ms),
            max_open_checkouts: usize::try_from(self.max_open_checkouts).unwrap_or(usize::MAX),
            locale,
        })
    }
}
