//! What an operator may choose, and the limits of each choice.

use std::time::Duration;

use kernel::Email;
use platform::auth::CLOCKS_APART;
use serde::{Deserialize, Serialize};

use crate::adapters::password::{Cost, MIN_MEMORY_KIB, MIN_PASSES};
use crate::application::Settings;
use crate::domain::Lifetimes;
use crate::domain::signing_key::Schedule;

/// Access tokens live this long; revocation reaches services far sooner.
const TOKEN_LIFE: Duration = Duration::from_mins(5);
/// A revoked session is kept and told until nobody can take a token of it for good: the token may have
/// been issued by a clock ahead of the one that judges it, and the session revoked by one that was
/// behind the one that forgets it.
const REMEMBER_REVOKED: Duration =
    TOKEN_LIFE.saturating_mul(2).saturating_add(CLOCKS_APART.saturating_mul(2));
/// How long a process remembers the keys it read. Less than a key is published ahead.
const KEYS_TTL: Duration = Duration::from_secs(30);

/// `[identity]` in the configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `iss` of access tokens, 1 to 255 characters. Every service accepts this one only.
    pub issuer: String,
    /// `aud` of access tokens, 1 to 255 characters.
    pub audience: String,
    /// Memory of one password hash in KiB, 19,456 to 1,048,576. Hashes made with other costs are
    /// renewed when their owner signs in.
    pub password_memory_kib: u32,
    /// Passes over that memory, 2 to 20.
    pub password_passes: u32,
    /// Lanes of one hash, 1 to 16.
    pub password_lanes: u32,
    /// Password hashes at the same time, 1 to 64; 0 takes half the processors. Each holds
    /// `password_memory_kib`.
    pub password_parallelism: usize,
    /// How many may wait for a hash, 1 to 10,000. Whoever comes then is told to try again.
    pub password_queue: usize,
    /// How many of one client may wait for a hash, 1 to 10,000, so that none fills the queue. A
    /// client is what `gateway.rate_limit` takes for one.
    pub password_queue_per_client: usize,
    /// A password that was made for somebody is good for so many days, 1 to 365.
    pub one_time_password_days: u64,
    /// A customer's session ends after so many hours without a refresh, 1 to 8,760.
    pub customer_idle_hours: u64,
    /// A customer's session ends after so many hours in any case, 1 to 87,600.
    pub customer_longest_hours: u64,
    /// The same for staff.
    pub staff_idle_hours: u64,
    pub staff_longest_hours: u64,
    /// Signing keys change after so many hours, 1 to 8,760.
    pub key_rotation_hours: u64,
    /// A new signing key is published so many minutes before it signs, 2 to 1,440 and less than a
    /// rotation.
    pub key_publish_ahead_minutes: u64,
    /// How many pairs of e-mail address and client are remembered for failed sign-ins, and as many
    /// for good ones, 100 to 10,000,000.
    pub attempts_tracked: usize,
    /// The e-mail address of the first member of staff, made at the first start.
    pub first_staff_email: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            issuer: "mercat".to_owned(),
            audience: "mercat".to_owned(),
            password_memory_kib: 64 * 1024,
            password_passes: 3,
            password_lanes: 1,
            password_parallelism: 0,
            password_queue: 64,
            password_queue_per_client: 16,
            one_time_password_days: 7,
            customer_idle_hours: 24 * 30,
            customer_longest_hours: 24 * 365,
            staff_idle_hours: 12,
            staff_longest_hours: 24 * 7,
            key_rotation_hours: 24 * 30,
            key_publish_ahead_minutes: 15,
            attempts_tracked: 50_000,
            first_staff_email: "admin@mercat.local".to_owned(),
        }
    }
}

/// A configuration that held all its rules, in the words of those who use it.
pub(crate) struct Checked {
    pub cost: Cost,
    pub settings: Settings,
    pub first_staff_email: Email,
}

impl Config {
    /// Says which key is wrong, what it holds and what it may hold.
    pub(crate) fn check(&self) -> Result<Checked, String> {
        self.check_numbers()?;
        for (key, text) in [("issuer", &self.issuer), ("audience", &self.audience)] {
            if text.is_empty() || text.chars().count() > 255 {
                return Err(format!("identity.{key} has 1 to 255 characters, not {text:?}"));
            }
        }
        let first_staff_email = self.first_staff_email.parse().map_err(|error| {
            format!("identity.first_staff_email is {:?}: {error}", self.first_staff_email)
        })?;
        Ok(Checked {
            cost: Cost {
                memory_kib: self.password_memory_kib,
                passes: self.password_passes,
                lanes: self.password_lanes,
                parallelism: self.parallelism(),
                queue: self.password_queue,
                queue_per_place: self.password_queue_per_client,
            },
            settings: self.settings(),
            first_staff_email,
        })
    }

    fn check_numbers(&self) -> Result<(), String> {
        let rotation_minutes = self.key_rotation_hours.saturating_mul(60);
        let rules = [
            (
                "password_memory_kib",
                u64::from(self.password_memory_kib),
                u64::from(MIN_MEMORY_KIB)..=1_048_576,
            ),
            ("password_passes", self.password_passes.into(), u64::from(MIN_PASSES)..=20),
            ("password_lanes", self.password_lanes.into(), 1..=16),
            ("password_parallelism", self.password_parallelism as u64, 0..=64),
            ("password_queue", self.password_queue as u64, 1..=10_000),
            ("password_queue_per_client", self.password_queue_per_client as u64, 1..=10_000),
            ("one_time_password_days", self.one_time_password_days, 1..=365),
            ("customer_idle_hours", self.customer_idle_hours, 1..=8_760),
            ("customer_longest_hours", self.customer_longest_hours, 1..=87_600),
            ("staff_idle_hours", self.staff_idle_hours, 1..=8_760),
            ("staff_longest_hours", self.staff_longest_hours, 1..=87_600),
            ("key_rotation_hours", self.key_rotation_hours, 1..=8_760),
            (
                "key_publish_ahead_minutes",
                self.key_publish_ahead_minutes,
                2..=rotation_minutes.saturating_sub(1).min(1_440),
            ),
            ("attempts_tracked", self.attempts_tracked as u64, 100..=10_000_000),
        ];
        for (key, value, allowed) in rules {
            if !allowed.contains(&value) {
                let (from, to) = allowed.into_inner();
                return Err(format!("identity.{key} is {value}; it may be {from} to {to}"));
            }
        }
        Ok(())
    }

    fn parallelism(&self) -> usize {
        if self.password_parallelism > 0 {
            return self.password_parallelism;
        }
        std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
    }

    fn settings(&self) -> Settings {
        let lifetimes = |idle: u64, longest: u64| Lifetimes {
            idle: Duration::from_hours(idle),
            longest: Duration::from_hours(longest),
            remember_revoked: REMEMBER_REVOKED,
        };
        Settings {
            customer_sessions: lifetimes(self.customer_idle_hours, self.customer_longest_hours),
            staff_sessions: lifetimes(self.staff_idle_hours, self.staff_longest_hours),
            keys: Schedule {
                rotation: Duration::from_hours(self.key_rotation_hours),
                publish_ahead: Duration::from_mins(self.key_publish_ahead_minutes),
                token_life: TOKEN_LIFE,
            },
            keys_ttl: KEYS_TTL,
            attempts_tracked: self.attempts_tracked,
            one_time_password_life: Duration::from_hours(24 * self.one_time_password_days),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_hold_the_rules() {
        assert!(Config::default().check().is_ok());
    }

    #[test]
    fn a_refusal_names_the_key_the_value_and_what_it_may_be() {
        let config = Config { password_memory_kib: 1024, ..Config::default() };
        let refusal = config.check().err();
        assert_eq!(
            refusal.as_deref(),
            Some("identity.password_memory_kib is 1024; it may be 19456 to 1048576")
        );
        let config = Config { first_staff_email: "admin".into(), ..Config::default() };
        assert!(config.check().err().is_some_and(|e| e.contains("first_staff_email")));
        let config =
            Config { key_rotation_hours: 1, key_publish_ahead_minutes: 60, ..Config::default() };
        assert!(config.check().err().is_some_and(|e| e.contains("key_publish_ahead_minutes")));
    }

    #[test]
    fn unknown_keys_are_an_error() {
        assert!(serde_json::from_str::<Config>(r#"{"pasword_passes": 3}"#).is_err());
        assert!(serde_json::from_str::<Config>("{}").is_ok());
    }
}
