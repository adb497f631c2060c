//! What an operator may choose.

use std::path::PathBuf;
use std::time::Duration;

use platform::Env;
use platform::service::BuildError;
use serde::{Deserialize, Serialize};

use crate::adapters::standard_webhooks::Secret;
use crate::adapters::test_provider::Pace;

/// The section `[payment]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `manual` (staff capture, the default) or `automatic` (when an order is confirmed).
    pub capture: CaptureMode,
    /// How long one call to the provider may take until its outcome counts as unknown: 10 to
    /// 60000.
    pub provider_timeout_ms: u64,
    pub test_provider: TestProviderConfig,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    #[default]
    Manual,
    Automatic,
}

/// The section `[payment.test_provider]`: the built-in provider for tests and demos.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TestProviderConfig {
    /// Where its ledger stands. Without, it stands in memory and ends with the process.
    pub folder: Option<PathBuf>,
    /// Before each answer: 0 to 60000.
    pub latency_ms: u64,
    /// How long a call hangs that times out: 0 to 600000.
    pub hang_ms: u64,
    /// How long `tok_needs_time` takes to be decided: 0 to 600000.
    pub needs_time_ms: u64,
    /// What its notifications are signed with: `whsec_` and 24 to 64 bytes in base64. Without, a
    /// fresh one in each process. It guards no money: a notification only makes us look.
    pub notification_secret: platform::config::Secret,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            capture: CaptureMode::Manual,
            provider_timeout_ms: 5_000,
            test_provider: TestProviderConfig::default(),
        }
    }
}

impl Default for TestProviderConfig {
    fn default() -> Self {
        Self {
            folder: None,
            latency_ms: 0,
            hang_ms: 30_000,
            needs_time_ms: 2_000,
            notification_secret: platform::config::Secret::default(),
        }
    }
}

impl Config {
    /// Refuses what is out of its limits, with the key, what it holds and what it may hold.
    pub fn check(&self) -> Result<(), BuildError> {
        let provider = &self.test_provider;
        for (key, value, least, most) in [
            ("provider_timeout_ms", self.provider_timeout_ms, 10, 60_000),
            ("test_provider.latency_ms", provider.latency_ms, 0, 60_000),
            ("test_provider.hang_ms", provider.hang_ms, 0, 600_000),
            ("test_provider.needs_time_ms", provider.needs_time_ms, 0, 600_000),
        ] {
            if !(least..=most).contains(&value) {
                return Err(BuildError::new(format!(
                    "payment.{key} is {value}; it must be {least} to {most}"
                )));
            }
        }
        Ok(())
    }
}

impl TestProviderConfig {
    pub(crate) const fn pace(&self) -> Pace {
        Pace {
            latency: Duration::from_millis(self.latency_ms),
            hang: Duration::from_millis(self.hang_ms),
            needs_time: Duration::from_millis(self.needs_time_ms),
        }
    }

    pub(crate) fn secret(&self, env: &Env) -> Result<Secret, BuildError> {
        if self.notification_secret.is_empty() {
            return Ok(Secret::from_bytes(env.random::<32>().to_vec()));
        }
        Secret::parse(self.notification_secret.expose()).ok_or_else(|| {
            BuildError::new(
                "payment.test_provider.notification_secret must be whsec_ and 24 to 64 bytes in \
                 base64",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_value_is_named_with_its_limits() {
        let config = Config { provider_timeout_ms: 5, ..Config::default() };
        let error = config.check().unwrap_err().to_string();
        assert_eq!(error, "payment.provider_timeout_ms is 5; it must be 10 to 60000");
        assert!(Config::default().check().is_ok());
    }
}
